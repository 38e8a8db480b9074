"""Finds order numbers and tracking numbers of parcels."""

import re

from triage.redaction.recognizers.common import Found, scan

_UPU = r"[A-Z]{2}[0-9]{9}[A-Z]{2}"
_CARRIER = re.compile(
    rf"(?<![A-Za-z0-9])(?:1Z ?[0-9A-Z]{{3}} ?[0-9A-Z]{{3}} ?[0-9A-Z]{{2}} ?[0-9A-Z]{{4}} ?[0-9A-Z]{{4}}|TBA[0-9]{{12}}"
    rf"|SF[0-9]{{12,15}}|JD[A-Z]{{0,2}}[0-9]{{11,15}}|YT[0-9]{{13,15}}|JT[0-9]{{13}}"
    rf"|ZTO?[0-9]{{12,14}}|STO?[0-9]{{12,13}}|{_UPU}"
    r"|9[2-5][0-9]{2}(?: ?[0-9]{4}){4} ?[0-9]{2})(?![A-Za-z0-9])"
)
_UPU_WHOLE = re.compile(_UPU)
_LINK = r"(?: ?(?:number|numbers|no|num|nr|id|code|ref|reference|is|was|[.:#=]|号码?|编号|是|为)){0,4}[ (\"]{0,2}"
_VALUE = r"(?P<value>[A-Za-z]{0,6}[0-9\-](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){2,38})(?![A-Za-z0-9])"
_TRACKING = re.compile(
    rf"(?i:(?:(?<![a-z])(?:tracking|waybill|awb|consignment)|"
    rf"(?:快递|运|物流|货运|包裹|邮件|顺丰|圆通|中通|韵达|申通)(?:单|编)?(?=号|[:：#]|[ ]?[a-z0-9]))"
    rf"{_LINK}{_VALUE})"
)
_AMAZON = re.compile(r"(?<![0-9])(?<![0-9]-)[0-9]{3}-[0-9]{7}-[0-9]{7}(?![0-9]|-[0-9])")
_ORDER = re.compile(
    rf"(?i:(?P<cue>(?<![a-z])(?:purchase )?order|(?<![a-z])ord|订单(?:编)?|(?<![快运流递裹件])单(?=号))"
    rf"(?P<link>{_LINK}){_VALUE})"
)
BEGINNING = re.compile(rf"(?i:(?:er|编)?{_LINK}[A-Za-z]{{0,6}}[0-9\-])")
"""The part after `ord`, `订单` or `单` that all order numbers of `find_order` have; match it at that word's end."""
_DIGIT = re.compile(r"[0-9]")


def find_strong_tracking(text: str) -> Found:
    """Find tracking numbers in formats that only carriers use; runs before cards and phones, which can look similar."""
    return scan(_CARRIER, text, lambda match: not _UPU_WHOLE.fullmatch(match[0]) or _upu_checks(match[0]))


def _upu_checks(number: str) -> bool:
    """Verify the check digit of UPU S10: weights 8 6 4 2 3 5 9 7, modulo 11."""
    total = sum(weight * int(digit) for weight, digit in zip((8, 6, 4, 2, 3, 5, 9, 7), number[2:10], strict=True))
    return int(number[10]) == {0: 5, 1: 0}.get(total % 11, 11 - total % 11)


def find_tracking(text: str) -> Found:
    return _values(_TRACKING, text, least=8)


def find_strong_order(text: str) -> Found:
    return [match.span() for match in _AMAZON.finditer(text)] if "-" in text else []


def find_order(text: str) -> Found:
    return _values(_ORDER, text, least=3)


def _values(pattern: re.Pattern[str], text: str, least: int) -> Found:
    found = []
    for match in pattern.finditer(text):
        value = match["value"]
        explicit = match.groupdict().get("link", "#").strip()
        # "order 2 pizzas", "orders from 2023": a number right after the bare word must have the length of an id.
        if len(value) >= (least if explicit else 5) and _DIGIT.search(value):
            start, end = match.span("value")
            found.append((start + (value[0] == "-"), end))
    return found
