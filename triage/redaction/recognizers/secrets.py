"""Finds passwords, PINs, one-time codes, keys and gift card codes after a word that names them."""

import re

from triage.patterns import load_patterns
from triage.redaction.recognizers.common import Found, cue_words

# A text without any of these, in lower case, contains no secret.
_SIGNS = tuple(load_patterns("triage.redaction.recognizers", "cues")["secret_signs"])
_IS = r"(?: (?:is|was|are|=)| ?(?:是|为|系)|['\"“”‘’「」(（:：=\s])*"
_CHAR = r"[^\s'\"“”‘’「」,，。;；()（）<>\[\]\u4e00-\u9fff]"
# "my password is wrong" contains no password: a secret must contain a digit or a sign.
_TYPED = rf"(?=[^\s]{{0,40}}[0-9@#$%^&*_+=!])(?P<secret>{_CHAR}{{4,64}}(?<![.!?:]){_CHAR}?)(?![A-Za-z0-9])"
# Not a length, a time or a count: `验证码60秒`, `PIN 3 times`, `OTP since 09:30`.
_NO_COUNT = r"(?![0-9]| ?(?:秒|位|分钟|次|天|小时|元|times|digits?|seconds?|minutes?|attempts?|days?)|[:.][0-9])"
_PASSWORD = re.compile(rf"{cue_words('password')}(?: ?(?:for|of) [a-z ]{{1,20}})?{_IS}{_TYPED}")
_PIN = re.compile(rf"{cue_words('pin')}(?! (?:pad|of|on)){_IS}(?P<secret>[0-9]{{3,8}}){_NO_COUNT}")
_ONE_TIME = re.compile(rf"{cue_words('one_time_code')}{_IS}(?P<secret>[0-9]{{4,8}}){_NO_COUNT}")
_KEY = re.compile(
    rf"{cue_words('key')}{_IS}(?=[^\s]{{0,80}}[0-9])(?P<secret>[A-Za-z0-9][A-Za-z0-9._~+/=\-]{{7,400}})(?![A-Za-z0-9])"
)
_GIFT = re.compile(
    rf"{cue_words('gift_code')}{_IS}(?=[^\s]{{0,40}}[0-9])"
    r"(?P<secret>[A-Za-z0-9]{2,8}(?:-?[A-Za-z0-9]{2,8}){1,6})(?![A-Za-z0-9])"
)
_PATTERNS = (_PASSWORD, _PIN, _ONE_TIME, _KEY, _GIFT)
_LEAST_GIFT = 8


def find_secret(text: str) -> Found:
    """Find secrets; the words that name them are kept."""
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return []
    return [
        match.span("secret")
        for pattern in _PATTERNS
        for match in pattern.finditer(text)
        if pattern is not _GIFT or len(match["secret"].replace("-", "")) >= _LEAST_GIFT
    ]
