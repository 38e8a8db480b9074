"""Finds e-mail addresses, handles and IP addresses."""

import ipaddress
import re

from triage.redaction.recognizers.common import CJK, MASK, Found, cued, scan

_LOCAL = rf"[^\s@<>()\[\]{{}},;:\"“”\\|/=!?{CJK}{MASK}\U00010000-\U0010ffff]"
_LABEL = r"[A-Za-z0-9\u00c0-\u024f\u0370-\u04ff\-]"
_EMAIL = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++@(?:{_LABEL}++|[\u4e00-\u9fff]{{1,20}})(?:\.{_LABEL}++)++")
_PROVIDERS = (
    r"gmail|googlemail|yahoo|hotmail|outlook|live|icloud|me|aol|proton|protonmail|gmx|qq|foxmail|163|126|sina|sohu"
)
_SPACED_EMAIL = re.compile(
    rf"(?<![\w.+\-])[A-Za-z0-9._%+\-]++(?: ?@ | @ ?)(?:(?i:{_PROVIDERS}))(?:\.[A-Za-z]{{2,6}}){{1,2}}(?![A-Za-z0-9])"
)
_AT = r"(?: ?[\[({<] ?(?:at|@) ?[\])}>] ?| at )"
_DOT = r"(?: ?[\[({<] ?(?:dot|\.) ?[\])}>] ?| dot |\.)"
_SPELT_EMAIL = re.compile(
    rf"(?i:(?<![a-z0-9._%+\-])[a-z0-9._%+\-]++{_AT}[a-z0-9\-]{{1,63}}(?:{_DOT}[a-z0-9\-]{{1,63}}){{0,3}}{_DOT}[a-z]{{2,12}})(?![A-Za-z0-9])"
)
_SPELT_SIGN = re.compile(r"(?i:[\[({<] ?(?:at|@|dot|\.) ?[\])}>]| dot )")


def find_email(text: str) -> Found:
    found = []
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start = match.end() - len(match[0].lstrip("'.-*#&$~`^"))
            last = match[0].rpartition(".")[2]
            if text[start] != "@" and (last[:1].isalpha() or _V4.search(match[0])):
                found.append((start, match.end()))
        if not found:
            found = [match.span() for match in _SPACED_EMAIL.finditer(text)]
    # " at b.com" alone may name a shop; only a spelt-out sign makes it an address.
    if not found and _SPELT_SIGN.search(text):
        found = [match.span() for match in _SPELT_EMAIL.finditer(text) if _SPELT_SIGN.search(match[0])]
    return found


_NAME = r"@(?=[0-9_]{0,29}[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_]|\.(?=[a-z0-9_])){1,29}"
_LATIN_HANDLE = re.compile(rf"(?<![A-Za-z0-9._%+\-@]){_NAME}(?:{_NAME})*+(?![A-Za-z0-9_])")
# A mention on Weibo has up to 30 half-width characters and ends at a space or punctuation; a longer run is text.
_CHINESE_HANDLE = re.compile(
    r"(?<![A-Za-z0-9._%+\-@])@(?=[\u4e00-\u9fff])[\u4e00-\u9fffA-Za-z0-9_\-]{2,15}(?![\u4e00-\u9fffA-Za-z0-9_\-])"
)
_MESSENGER_WORDS = ("微信", "薇信", "echat", "eixin", "WeChat", "WX", "wx", "VX", "vx", "QQ", "qq", "elegram", "扣扣")
_MESSENGER = re.compile(
    r"(?i:(?:(?:微信|薇信|wechat|weixin|telegram|(?<![a-z])[wv]x)(?:号|id| id)?(?: ?(?::|是|为| is ) ?)@?"
    r"(?P<name>[a-z][a-z0-9_\-]{4,31})|(?:(?<![a-z])qq|扣扣)(?:号码?|群)?(?: ?[:是为]? ?)(?P<number>[1-9][0-9]{4,10})))"
    r"(?![A-Za-z0-9_\-])"
)


def find_handle(text: str) -> Found:
    found = []
    if "@" in text:
        found += [match.span() for match in _LATIN_HANDLE.finditer(text)]
        found += [match.span() for match in _CHINESE_HANDLE.finditer(text)]
    # A loop: this runs for every text, and a generator would cost more than the searches.
    for word in _MESSENGER_WORDS:
        if word in text:
            return found + [match.span(match.lastgroup or 0) for match in _MESSENGER.finditer(text)]
    return found


_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![0-9])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9]|\.[0-9])")
_V6 = re.compile(r"(?<![A-Za-z0-9:.])[0-9A-Fa-f:]++(?![A-Za-z0-9])")
_VERSION = re.compile(r"(?i:(?:(?<![a-z])v(?:er(?:sion)?)?|firmware|build|release|ios|android|版本|固件)[号 :.\-]*)$")


def find_ip(text: str) -> Found:
    found = scan(_V4, text, lambda match: not cued(text, match.start(), _VERSION)) if "." in text else []
    if text.count(":") >= 2:
        for match in _V6.finditer(text):
            value = match[0][:-1] if match[0].endswith(":") and not match[0].endswith("::") else match[0]
            if 6 <= len(value) <= 39 and _is_v6(value):
                found.append((match.start(), match.start() + len(value)))
    return found


def _is_v6(value: str) -> bool:
    # "12::30" is a valid IPv6 address, but rather a mistyped time.
    if value.count(":") < 2 or len(value.replace(":", "")) < 5:
        return False
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True
