"""Finds passwords, PINs, one-time codes, keys and gift card codes, after a word that names them or before it."""

import re

from triage.patterns import load_patterns
from triage.redaction.recognizers.common import Found, cue_words

# A text without any of these, in lower case, contains no secret.
_SIGNS = tuple(load_patterns("triage.redaction.recognizers", "cues")["secret_signs"])
# What may stand between the name and the value. No two alternatives match the same, so the time stays linear.
_IS = (
    r"(?:['’]s(?![a-z])| (?:is|was|are|being|now|still|=)(?![a-z])| \(?on (?:the |my )?(?:back|front)"
    r"(?: of (?:the |my )?card)?\)?"
    r"|(?:是|为|系|就|还|应该|填|写|输入|设|设置|重置|重设|改|换|用|收到|发来|显示|登记)(?:的|了|成|为|到|过"
    r"|是)*| (?:-|->|→)(?= )"
    r"|['\"“”‘’「」『』(（:：=\[\s])*"
)
_CHAR = r"[^\s'\"“”‘’「」,，。;；()（）<>\[\]\u4e00-\u9fff]"
# "my password is wrong" contains no password: a secret must contain a digit or a sign.
_TYPED = rf"(?=[^\s]{{0,40}}[0-9@#$%^&*_+=!])(?P<secret>{_CHAR}{{4,64}}(?<![.!?:]){_CHAR}?)(?![A-Za-z0-9])"
# Not a length, a time or a count: `验证码60秒`, `PIN 3 times`, `OTP since 09:30`.
_NO_COUNT = r"(?![0-9]| ?(?:秒|位|分钟|次|天|小时|元|times|digits?|seconds?|minutes?|attempts?|days?)|[:.][0-9])"
_CODE = r"[0-9]{3}[ \-][0-9]{3}(?:[ \-][0-9]{3})?|[0-9]{2}[ \-][0-9]{2}[ \-][0-9]{2}|[0-9]{4}[ \-][0-9]{4}|[0-9]{4,8}"
_PIN_DIGITS = r"[0-9](?:[ \-][0-9]){3,5}|[0-9]{3,4}(?:[ \-][0-9]{3,4}){1,3}|[#*]?[0-9]{3,8}[#*]?"
_OF = (
    r"(?: ?(?:for|of|to) [a-z' ]{1,30}"
    r"|,? (?:that |which )?(?:i|you|we|they|he|she) [a-z]{2,9}(?: (?:me|us|you|it))?,?)?"
)
_PASSWORD = re.compile(rf"(?:{cue_words('password')}{_OF}{_IS}|{cue_words('password_change')} ['\"“]?){_TYPED}")
_PIN = re.compile(rf"{cue_words('pin')}(?! (?:pad|of))(?:{_IS}|(?i: to ))(?P<secret>{_PIN_DIGITS}){_NO_COUNT}")
_ONE_TIME = re.compile(rf"{cue_words('one_time_code')}{_IS}(?P<secret>(?:[A-Z]{{1,3}}-)?(?:{_CODE})){_NO_COUNT}")
_LETTERED_CODE = re.compile(
    rf"{cue_words('lettered_code')}{_IS}(?=[A-Z\-]{{0,8}}[0-9])(?P<secret>[A-Z0-9]{{1,6}}"
    rf"(?:-[A-Z0-9]{{1,6}}){{1,3}}|[A-Z0-9]{{4,8}}){_NO_COUNT}(?![A-Za-z0-9\-])"
)
_RECOVERY = re.compile(
    rf"{cue_words('recovery_code')}{_IS}(?=[A-Za-z\-]{{0,20}}[0-9])(?P<secret>[A-Za-z0-9]{{3,40}}"
    rf"(?:-[A-Za-z0-9]{{3,12}}){{0,7}})(?![A-Za-z0-9])"
)
_ANSWER = re.compile(rf"{cue_words('answer')}{_IS}{_TYPED}")
# Letters alone, of answers: after `is` too, capitalized or in Chinese.
_NAMED_ANSWER = re.compile(
    rf"{cue_words('answer_word')}(?: ?[:：=] ?| (?:is|was) | |[是为系] ?)['\"“‘「]?"
    r"(?P<secret>[A-Z][A-Za-z]{2,20}(?: [A-Z][A-Za-z]{2,20}){0,2}|[\u4e00-\u9fff]{2,8}|[a-z]{4,20})(?= *(?:$|['\"”’」,，。.;；!\n)）]))"
)
_ANSWER_BEFORE = re.compile(
    r"(?i:[:：] ?)(?P<secret>[A-Z][A-Za-z]{2,20})(?i:,? (?:that is|that'?s|is) my (?:security|secret) (?:answer|word))"
)
# Words from which a wallet is restored: twelve to twenty-four.
_PHRASE = re.compile(
    rf"{cue_words('phrase')}(?: ?[:：=] ?| (?:is|was) | |是|为|系)?['\"“「]?(?P<secret>[a-z]{{3,8}}(?: [a-z]{{3,8}}){{11,23}})(?![a-z])"
)
# Some words between: `passphrase correct horse 9 staple`.
_SPACED = re.compile(
    r"(?i:(?<![a-z])pass ?phrase)(?: ?[:：=] ?| (?i:is|was) | )['\"“]?(?P<secret>[a-z]{3,12}(?: [a-z]{3,12}| [0-9]{1,4}){2,7})(?![A-Za-z0-9])"
)
# A second one in the same sentence: `密码abc123和lh8812都试过`.
_MORE = re.compile(rf"['\"”’]?(?: (?:and|or|then|also) (?:(?:new|old|now) )?| ?[&/、和或跟] ?)['\"“‘]?{_TYPED}")
# Letters alone: only behind a colon, and as all that follows.
_WORD = re.compile(
    rf"(?:{cue_words('password')}|{cue_words('answer')}) ?[:：=] ?(?P<secret>[A-Za-z]{{4,32}})(?= *"
    rf"(?:$|[,，。.;；\n)）]))"
)
_KEY = re.compile(
    rf"{cue_words('key')}{_IS}(?=[^\s]{{0,80}}[0-9])(?P<secret>[A-Za-z0-9][A-Za-z0-9._~+/=\-]{{7,400}})(?![A-Za-z0-9])"
)
_GIFT = re.compile(
    rf"{cue_words('gift_code')}{_IS}(?=[^\s]{{0,40}}[0-9])"
    r"(?P<secret>[A-Za-z0-9]{2,8}(?:[ \-]?[A-Z0-9]{2,8}){1,6})(?![A-Za-z0-9]| (?:points|miles|coins|stars)(?![a-z]))"
)
_VALUE = (
    rf"(?<![A-Za-z0-9.,:/#$€£¥+\-])(?P<secret>(?:[A-Z]-)?(?:{_CODE})|[0-9]{{3}}|"
    rf"(?=[A-Za-z]{{0,30}}[0-9@#$%^&*_+=!]){_CHAR}{{5,64}})"
)
_BEFORE = re.compile(
    rf"{_VALUE}(?:(?i: (?:is|was|as|=) (?:my|the|our|your|his|her|their|a) (?:[a-z]{{2,12}} ){{0,2}}?)"
    rf"|(?:是|就是|为|作为|做|当作?|做为)(?:我|你|您)?(?:们)?(?:的|嘅)?){cue_words('named_after')}"
)
_TO_SIGN_IN = re.compile(
    rf"(?i:(?<![a-z])(?:use|enter|type|input)|输入|使用|填写) ?(?:(?i:code|the code) )?(?P<secret>{_CODE})"
    r"(?i: (?:to (?:log|sign|verify|confirm|complete|finish|authenticate|reset|access|activate)"
    r"|as your)|(?:完成|进行)?(?:验证|登录|登入))"
)
# Searched only where the text, in lower case, contains one of the signs.
_PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_PASSWORD, ("pass", "pw", "pin", "kennwort", "mot de", "contrase", "key", "密", "口令")),
    (_PIN, ("pin", "puk", "safe", "lock", "alarm", "pattern", "padlock", "keypad", "intercom", "pass", "cv", "csc", "code", "digit", "combination", "card ", "码", "背面", "三位")),
    (
        _ONE_TIME,
        ("code", "pin", "pass", "otp", "2fa", "mfa", "say", "said", "show", "display", "read", "码", "口令", "短信", "简讯", "报"),
    ),
    (_LETTERED_CODE, ("code", "码")),
    (_RECOVERY, ("code", "key", "phrase", "码", "恢复")),
    (_ANSWER, ("secret ", "security ", "memorable", "safe", "code", "maiden", "密保", "答案")),
    (
        _WORD,
        (
            "pass",
            "pw",
            "kennwort",
            "mot de",
            "contrase",
            "密",
            "security answer",
            "secret answer",
            "memorable",
            "maiden",
            "safe",
        ),
    ),
    (_KEY, ("key", "secret", "token", "bearer", "session", "cookie", "auth", "钥", "匙", "令牌")),
    (_GIFT, ("gift", "voucher", "rede", "top-up", "topup", "prepaid", "store credit", "card", "code", "卡", "码", "礼券", "序号")),
    (_BEFORE, ("pass", "pw", "pin", "cv", "otp", "code", "码", "密", "口令")),
    (_NAMED_ANSWER, ("answer", "maiden", "memorable", "word", "pet", "答案")),
    (_ANSWER_BEFORE, ("answer", "secret word")),
    (_PHRASE, ("phrase", "mnemonic", "seed", "助记")),
    (_SPACED, ("phrase",)),
    (_TO_SIGN_IN, ("use", "enter", "type", "input", "输入", "使用", "填写")),
)
_DIGIT = re.compile("[0-9]")
_OF_LETTERS = {_PASSWORD, _ANSWER, _WORD, _BEFORE, _NAMED_ANSWER, _ANSWER_BEFORE, _PHRASE}
_WITHOUT_DIGITS = tuple(row for row in _PATTERNS if row[0] in _OF_LETTERS)
_LEAST_GIFT = 8
# `Password: required` names none.
_NO_SECRETS = frozenset((
    "blank", "broken", "changed", "compromised", "correct", "disabled", "empty", "entered", "expired",
    "failed", "forgot", "forgotten", "hidden", "incorrect", "invalid", "leaked", "locked", "missing",
    "mandatory", "none", "null", "optional", "please", "rejected", "required", "reset", "saved",
    "secret", "strong", "stolen", "unknown", "unset", "weak", "wrong",
))  # fmt: skip


def find_secret(text: str) -> Found:
    """Find secrets; the words that name them are kept."""
    lowered = text.lower()
    # Loops: this runs for every text, and generators would cost more than the searches.
    for sign in _SIGNS:
        if sign in lowered:
            break
    else:
        return []
    found: Found = []
    for pattern, signs in _PATTERNS if _DIGIT.search(text) else _WITHOUT_DIGITS:
        for sign in signs:
            if sign in lowered:
                found += [m.span("secret") for m in pattern.finditer(text) if _is_secret(pattern, m["secret"])]
                break
        if pattern is _PASSWORD:
            more = [_MORE.match(text, end) for _, end in found]
            found += [match.span("secret") for match in more if match]
    return found


def _is_secret(pattern: re.Pattern[str], secret: str) -> bool:
    if pattern is _GIFT:
        return len(re.sub("[ -]", "", secret)) >= _LEAST_GIFT
    return pattern not in {_WORD, _NAMED_ANSWER} or secret.lower() not in _NO_SECRETS
