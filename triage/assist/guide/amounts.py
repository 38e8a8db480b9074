"""Finds amounts in a text, with their unit and their bounds: "under $50", "100到200元", "at least 1.5 litres"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triage.assist.guide.folding import ends_clause
from triage.rules.phrases import normalized

ABOUT_PRICE = 0.2
"""An amount without a bound means about so much: prices a fifth more or less, other numbers a tenth."""
ABOUT_NUMBER = 0.1
CURRENCIES = {
    "$": "USD", "us$": "USD", "usd": "USD", "dollar*": "USD", "bucks": "USD", "美元": "USD", "美金": "USD",
    "€": "EUR", "eur": "EUR", "euro*": "EUR", "欧元": "EUR", "£": "GBP", "gbp": "GBP", "pound*": "GBP", "英镑": "GBP",
    "¥": "CNY", "cny": "CNY", "rmb": "CNY", "yuan": "CNY", "元": "CNY", "块钱": "CNY", "块": "CNY", "人民币": "CNY",
}  # fmt: skip
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN_TENS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_HAN = "零〇一二三四五六七八九两十百千万"
_NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|(?<![{_HAN}])[{_HAN}]+)"
_RANGE = r"\s*(?:-|–|—|~|to|and|到|至|和)\s*"
# Longest first: "no more than" must not be read as "more than".
_AT_MOST = (
    r"no more than|not more than|no higher than|not over|not above|not exceed(?:ing)?|no longer than|no heavier than|"
    r"less than|lower than|cheaper than|lighter than|smaller than|shorter than|at most|up to|max(?:imum)?(?: of)?|"
    r"within|under|below|budget(?: is| of|:)?|spend(?: up to)?|afford|"
    r"不要超过|不能超过|别超过|不超过|不到|不高于|不大于|低于|少于|小于|最多|最高|至多|控制在|预算(?:是|在|为|只有)?|轻于"
)
_AT_LEAST = (
    r"no less than|not less than|no lower than|not under|not below|no fewer than|more than|higher than|larger than|"
    r"bigger than|longer than|greater than|at least|starting at|minimum(?: of)?|min|over|above|from|"
    r"不低于|不少于|不小于|高于|超过|多于|大于|至少|最少|最低|起码"
)
_ABOUT = r"about|around|roughly|approximately|approx\.?|some|大概|大约|差不多|约"
_BEFORE = re.compile(
    rf"(?:(?P<most>{_AT_MOST})|(?P<least>{_AT_LEAST}))?\s*(?:(?P<about>{_ABOUT})(?:在|是)?)?\s*(?:a |an |the )?$"
)
_AFTER_MOST = re.compile(
    r"\s*(?:以下|以内|之内|之下|内|封顶|"
    r"or (?:less|under|below|cheaper|smaller|lighter|shorter|fewer)|max\b|maximum|at most|tops)"
)
_AFTER_LEAST = re.compile(
    r"\s*(?:以上|之上|起|往上|or (?:more|above|over|longer|larger|bigger|greater|heavier)|and (?:up|above)|plus\b|\+)"
)
_AFTER_ABOUT = re.compile(r"\s*(?:左右|上下|or so\b|ish\b)")
_PRICE_CUE = re.compile(r"price|cost|spend|budget|cheap|expensive|pay\b|价|预算|便宜|贵|花")
_WINDOW_CHARS = 24


@dataclass(frozen=True)
class Amount:
    """An amount `text[start:end]`, with its bounds in the unit `unit`; None: no bound.

    `unit` is a currency code, or the name of the attribute whose unit it has; None if the text gives none. `priced`
    is True for money, and for a number after a word for a price. `bounded` is False if the text only gives a number,
    so that the bounds are around it.
    """

    start: int
    end: int
    low: float | None
    high: float | None
    unit: str | None
    bounded: bool
    priced: bool


class AmountFinder:
    """Finds amounts of money and of `units` (unit → its attribute, and the factor to the attribute's base unit)."""

    def __init__(self, units: Mapping[str, tuple[str, float]]) -> None:
        self._units = {normalized(unit): each for unit, each in units.items()}
        self._money = {normalized(unit): (code, 1.0) for unit, code in CURRENCIES.items()}
        known = sorted({*self._units, *self._money}, key=len, reverse=True)
        patterns = [_unit_pattern(each) for each in known]
        unit = "|".join(patterns)
        signs = "|".join(re.escape(each) for each in known if each in {"$", "us$", "€", "£", "¥", "usd", "rmb", "cny"})
        one = rf"(?:(?P<sign>{signs})\s*)?(?P<number>{_NUMBER})(?P<thousand>\s?k\b|k(?=[^a-z])|[千万])?"
        second = rf"(?:{_RANGE}(?:(?:{signs})\s*)?(?P<upper>{_NUMBER})(?P<thousands>k\b|k(?=[^a-z])|[千万])?)?"
        half = r"(?P<half>半)?"
        self._pattern = re.compile(
            rf"(?<![a-z\d.]){one}(?P<early>\s*(?:{unit}))?{second}(?:[\s-]*(?P<unit>{unit}))?{half}"
        )

    def find(self, folded: str) -> Iterator[Amount]:
        """Yield the amounts of a text as `folding.folded` returns it."""
        for found in self._pattern.finditer(folded):
            amount = self._amount(folded, found)
            if amount is not None:
                yield amount

    def _amount(self, folded: str, found: re.Match[str]) -> Amount | None:
        number = _value(found["number"], found["thousand"])
        unit = self._unit(found["unit"]) or self._unit(found["early"]) or self._unit(found["sign"])
        if number is None or (unit is None and not found["number"][0].isdigit()):
            return None  # Han digits without a unit are words more often than amounts
        name, factor = unit or (None, 1.0)
        upper = _value(found["upper"], found["thousands"]) if found["upper"] else None
        left = folded[max(0, found.start() - _WINDOW_CHARS) : found.start()]
        left = left[ends_clause(left) :]
        right = folded[found.end() : found.end() + _WINDOW_CHARS]
        price = name in self._money_codes or (name is None and _PRICE_CUE.search(left) is not None)
        start, end = found.start(), found.end()
        if upper is not None:
            low, high = number, upper
            if found["thousands"] and not found["thousand"]:
                low *= upper / (_value(found["upper"], None) or 1)  # "1-2k"
            if low > high:
                return None
            return Amount(start, end, low * factor, high * factor, name, True, price)
        before = _BEFORE.search(left)
        assert before is not None
        start -= len(left) - before.start()
        value, share = number * factor, ABOUT_PRICE if price else ABOUT_NUMBER
        after_about = _AFTER_ABOUT.match(right)
        end += after_about.end() if after_about else 0
        most, least = _AFTER_MOST.match(right), _AFTER_LEAST.match(right)
        if most or least:
            end += (most or least).end()  # type: ignore[union-attr]
            return Amount(start, end, None if most else value, value if most else None, name, True, price)
        if before["about"] or after_about or not (before["most"] or before["least"]):
            bounded = bool(before["about"] or after_about)
            return Amount(start, end, value * (1 - share), value * (1 + share), name, bounded, price)
        at_most = before["most"] is not None
        return Amount(start, end, None if at_most else value, value if at_most else None, name, True, price)

    @property
    def _money_codes(self) -> frozenset[str]:
        return frozenset(CURRENCIES.values())

    def _unit(self, text: str | None) -> tuple[str, float] | None:
        written = (text or "").strip()
        if not written:
            return None
        for known in (self._units, self._money):
            for unit, meaning in known.items():
                if written == unit or (unit.endswith("*") and written.startswith(unit[:-1])):
                    return meaning
        return None


def _unit_pattern(unit: str) -> str:
    if unit.endswith("*"):
        return rf"{re.escape(unit[:-1])}[a-z]*"
    return re.escape(unit) + (r"(?![a-z])" if unit[-1].isascii() and unit[-1].isalpha() else "")


def _value(text: str, thousand: str | None) -> float | None:
    if text[0].isdigit():
        number = float(text.replace(",", "") or 0)
        return number * (_HAN_TENS.get(thousand.strip(), 1_000) if thousand else 1)
    return _han(text)


def _han(text: str) -> float | None:
    """The value of a Chinese number, such as 两百 (200), 一千五 (1500), 三万 (30000); None for other words."""
    total = section = digit = 0
    last = 1
    for char in text:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
            continue
        ten = _HAN_TENS[char]
        if ten == 10_000:
            total, section = (total + section + digit) * ten, 0
        else:
            section += (digit or 1) * ten
        digit, last = 0, ten
    if digit and last >= 100 and text[-2] in _HAN_TENS:
        digit *= last // 10  # 一千五 is 1500
    return float(total + section + digit)
