"""Finds values near, but not directly after, the word that names them, and further values of the same format."""

import re
from collections.abc import Callable

from triage.redaction.recognizers.common import Found, cue_words

# Between the word and the value: no long number, no end of a sentence, none of the words for other numbers.
_GAP = 36
_BEFORE = 64
_ITEM = re.compile(
    rf"{cue_words('item')}|(?i:(?<![a-z])(?:flight|train|room|seat|version|code|total|balance|limit|amount|fee|points?"
    r"|price|pin|password|calls?|phone|tel|mobile|zip|since|until|dated?)(?![a-z])"
    r"|余额|结余|额度?|积分|金额|等级|航班|车次|密码|电话|手机|价|日期|有效期|版本)"
)
_ITEM_BEFORE = re.compile(
    rf"(?i:{cue_words('item')}(?:编?号码?|[ .:#\-]|(?<![a-z])(?:number|numbers|no|num|nr|id|code|is)(?![a-z]))*)$"
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥]|(?<![A-Z])(?:USD|EUR|GBP|RMB|CNY|HKD|NTD?|HK)) ?$")
_NO_NUMBER = re.compile(
    # Dates, and two years.
    r"(?:19|20)[0-9]{2}[ .\-/]?(?:0[1-9]|1[0-2])[ .\-/]?(?:0[1-9]|[12][0-9]|3[01])(?:[ \-]?[0-9]{4,6})?$"
    r"|[0-3]?[0-9][ .\-/][01]?[0-9][ .\-/](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[ .\-/]{1,3}(?:19|20)[0-9]{2}$"
    r"|[0-9]{1,3}(?:[ ,.]000)+$"
)
_UNIT_AFTER = re.compile(
    r"[.,:][0-9]|(?i: ?(?:%|usd|eur|gbp|rmb|hkd|dollars?|euros?|pounds?|yuan|points?|pts|miles|steps|views"
    r"|followers|users"
    r"|items|pieces|pcs|times|days?|weeks?|months?|years?|hours?|minutes?|seconds?|[km]?g|[cmk]?m|mm|mah|px|gb|mb|tb"
    r")(?![a-z])| ?(?:元|块|圆|蚊|分|次|人|步|天|日|个|年|月|万|亿|级|条|秒|件))"
)
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]++(?:[ \-./][A-Za-z0-9]++)*+")
_SIBLING_REACH = 40
_SENTENCE_END = re.compile(r"[!?。！？;；\n]|\.\s")


def near(name: str) -> re.Pattern[str]:
    """Pattern for `stands_near`: a word of the group `name` in cues.yaml, then a short gap without long numbers."""
    return re.compile(
        rf"{cue_words(name)}(?P<gap>(?:[^0-9\n.!?。！？;；]|(?<![0-9])[0-9]{{1,4}}(?![0-9])){{0,{_GAP}}})$"
    )


def stands_near(match: re.Match[str], cue: re.Pattern[str]) -> bool:
    """True if the match follows a word of `cue` in the same sentence, and is not a date, amount or order number."""
    text, start = match.string, match.start()
    if not is_number(match):
        return False
    found = cue.search(text[max(0, start - _BEFORE) : start])
    return found is not None and not _ITEM.search(found["gap"])


def is_number(match: re.Match[str]) -> bool:
    """True unless the match is a date, an amount or a count, or directly follows a word for an order or article."""
    start = match.start()
    return not (is_amount(match) or _ITEM_BEFORE.search(match.string[max(0, start - 40) : start]))


def is_amount(match: re.Match[str]) -> bool:
    """True if the matched number is a date, an amount of money or a count."""
    text, start = match.string, match.start()
    return bool(
        _NO_NUMBER.match(match[0])
        or _UNIT_AFTER.match(text, match.end())
        or _MONEY_BEFORE.search(text[max(0, start - 8) : start])
    )


def with_siblings(text: str, found: Found, pattern: re.Pattern[str], accept: Callable[[re.Match[str]], bool]) -> Found:
    """Add to `found` the matches of `pattern` near a find and of its format: `passports EE1234567 and EE1234568`.

    Only matches that `accept` accepts are added.
    """
    more: Found = []
    for first_start, first_end in found:
        form = _form(text[first_start:first_end])
        for match in pattern.finditer(text, max(0, first_start - _SIBLING_REACH), first_end + _SIBLING_REACH):
            start, end = match.span()
            between = text[min(end, first_end) : max(start, first_start)]
            if (
                (end <= first_start or start >= first_end)
                and _form(match[0]) == form
                and not _SENTENCE_END.search(between)
                and accept(match)
            ):
                more.append((start, end))
    return found + more


def _form(value: str) -> str:
    value = re.sub(r"[^A-Za-z0-9]", "", value)
    return re.sub(r"[0-9]", "9", re.sub(r"[A-Za-z]", "A", value))
