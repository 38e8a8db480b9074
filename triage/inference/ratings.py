"""Uses ratings as evidence for the sentiment: the field `rating`, and stars and points that a text mentions.

A model reads "1 out of 5" as neither good nor bad. A rating shifts the probabilities, as additional evidence: it
decides if the text is neutral, but does not override a text that clearly says the opposite ("5 stars for the driver who
threw my parcel over the fence").
"""

import math
import re
from collections.abc import Mapping

from triage.keywords import KeywordGroups, caseless

_STARS = re.compile("[★⭐🌟✭]\ufe0f?|[☆✩]")
_STAR_RUN = re.compile("(?:(?:[★⭐🌟✭]\ufe0f?)|[☆✩]){1,10}")
_EMPTY = re.compile("[☆✩]")
_NUMBERS = {
    "zero": 0, "no": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "零": 0, "一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
_START = r"(?:^|(?<=[\n.!?。！？，,;；:：(（]))\s*"
_END = r"(?=\s*(?:$|[\n.!?。！？，,;；:：)）]))"
_OF = r"\s*(?:/|out of|\(?of)\s*"
# A fraction alone in its clause, or at the beginning of a text; not a page, a date or "1 out of 5 parcels".
_FRACTION = re.compile(
    rf"{_START}(?:a |solid |only )?(?P<n>\d{{1,2}}(?:[.,]\d)?){_OF}(?P<of>5|10)\b\)?"
    rf"(?:{_END}|\s+(?:stars?|from me|would|for)\b)",
    re.I,
)
_NAMED = re.compile(
    rf"(?:\b(?:rating|rated|score|i(?:'d)? (?:give|gave|rate)(?: it| this| you| them)?)|评分|評分)"
    rf"\s*(?:is|of|it|:|：|=)?\s*(?:a )?(?P<n>\d{{1,2}}(?:[.,]\d)?)(?:{_OF}(?P<of>5|10)\b|{_END})",
    re.I,
)
_WORDS = re.compile(
    r"(?<![\w.,/-])(?P<n>zero|no|one|two|three|four|five|[0-5](?:[.,]5)?)[ -]stars?\b"
    r"(?!\s+(?:hotels?|resorts?|restaurants?|generals?|reviews?|ratings?|hostels?|chefs?|spas?|anise|on (?:the|my)))",
    re.I,
)
# 三星 alone is also a company, and 五星级 a class of hotels.
_CHINESE_STARS = re.compile(
    r"(?P<asked>[给給打评評]了?(?:你们|你們|他们|它|个|個)?|只有|就)?(?P<n>[零一二两兩三四五]|[0-5])\s*[颗顆]?星"
    r"(?![级級期座巴球光空际際钻鑽酒手电電星])"
)
_CHINESE_POINTS = re.compile(
    r"(?:[给給打评評]了?(?:你们|你們|他们|它|个|個)?|评分|評分|扣到|^|(?<=[，。！,.!\s]))\s*[:：]?\s*"
    r"(?P<n>\d{1,3}(?:\.\d)?|[零一二两兩三四五六七八九])分(?![钟鐘之期店公手享类類行别別析])"
)
_FULL = re.compile("满分|滿分")
_DIGIT = re.compile(r"\d")
_COUNTED = ("zero", "no", "one", "two", "three", "four", "five", "0", "1", "2", "3", "4", "5")
# What every match of an expression contains: most texts have none of it, and need no search.
_SIGNS = KeywordGroups(
    {
        "stars": "★⭐🌟✭☆✩",
        "star words": [f"{number}{joint}star" for number in _COUNTED for joint in " -"],
        "星": ("星",),
        "分": [f"{number}分" for number in "零一二两兩三四五六七八九"] + ["满分", "滿分"],
    }
)
# Parts of those signs: quicker to look for, and in few texts.
_LATIN_SIGN, _OTHER_SIGN = "star", re.compile("[★⭐🌟✭☆✩星分]")
# The same of those that need a digit, too.
_SIGNS_WITH_DIGITS = KeywordGroups(
    {
        "of": ("/", "of"),
        "best": ("5", "10"),
        "named": ("rating", "rated", "score", "give", "gave", "rate", "评分", "評分"),
        "分": ("分",),
    }
)
FIELD_WEIGHT = 2.0
"""Shift of the logits by the field `rating` at its end of the scale."""
TEXT_WEIGHT = 3.0
"""Shift by a rating in the text: its writer chose these very words."""
_MIDDLE = 0.6


def rating_in(text: str) -> float | None:
    """Return the rating mentioned in a text as a share of the best one (0 to 1); None if there is none or several."""
    found = {round(value, 2) for value in _ratings(text) if 0 <= value <= 1}
    return found.pop() if len(found) == 1 else None


def _ratings(text: str) -> list[float]:
    signs = _signs_in(text)
    if not signs:
        return []
    found = _star_runs(text) if "stars" in signs else []
    fractions = _FRACTION.finditer(text) if {"of", "best"} <= signs else ()
    for match in (*fractions, *(_NAMED.finditer(text) if "named" in signs else ())):
        value, best = float(match["n"].replace(",", ".")), match["of"]
        found.append(value / (float(best) if best else 5 if value <= 5 else 10))
    if "star words" in signs:
        found += [_number(match["n"]) / 5 for match in _WORDS.finditer(text)]
    if "星" in signs:
        found += [
            _number(match["n"]) / 5
            for match in _CHINESE_STARS.finditer(text)
            if match["asked"] or match["n"] not in "三零" or match[0] == text.strip()
        ]
    return found + _points(text) if "分" in signs else found


def _signs_in(text: str) -> frozenset[str]:
    folded = caseless(text)
    signs: frozenset[str] = frozenset()
    if _LATIN_SIGN in folded or (not text.isascii() and _OTHER_SIGN.search(text)):
        signs = _SIGNS.find(folded)
    return signs | _SIGNS_WITH_DIGITS.find(folded) if _DIGIT.search(text) else signs


def _star_runs(text: str) -> list[float]:
    found = []
    for run in _STAR_RUN.finditer(text):
        stars = len(_STARS.findall(run[0]))
        empty = len(_EMPTY.findall(run[0]))
        if empty and stars >= 3:
            found.append((stars - empty) / stars)
        elif not empty and (2 <= stars <= 5 or run[0] == text.strip()):
            found.append(min(stars, 5) / 5)
    return found


def _points(text: str) -> list[float]:
    points = [_number(match["n"]) for match in _CHINESE_POINTS.finditer(text)]
    if points:
        # "满分10分只能给2分": the best comes first.
        best = max(points) if _FULL.search(text) and len(points) > 1 else 5 if max(points) <= 5 else 10
        best = best if max(points) <= best else 100
        return [min(points) / best] if len(points) > 1 else [points[0] / best]
    if _FULL.search(text) and not re.search("[不没沒].{0,3}[满滿]分", text):
        return [1.0]
    return []


def _number(word: str) -> float:
    known = _NUMBERS.get(word.casefold())
    return float(word.replace(",", ".")) if known is None else float(known)


def with_rating(sentiment: Mapping[str, float], text: str, rating: float | None, scale: float) -> dict[str, float]:
    """Return the sentiment probabilities after including ratings, the record's own and one mentioned in `text`.

    `sentiment` are the model's probabilities by label. `rating` is the record's field on a scale from 1 to `scale`; it
    is ignored if it is outside of the scale or `scale` is 0.
    """
    shift = 0.0
    if rating is not None and scale and 0 <= rating <= scale:
        shift += FIELD_WEIGHT * _direction(rating / scale)
    if (named := rating_in(text)) is not None:
        shift += TEXT_WEIGHT * _direction(named)
    if not shift:
        return dict(sentiment)
    shifts = {"negative": -shift, "neutral": -abs(shift), "positive": shift}
    powers = {label: p * math.exp(shifts.get(label, 0.0)) for label, p in sentiment.items()}
    total = sum(powers.values())
    return {label: power / total for label, power in powers.items()}


def _direction(share: float) -> float:
    """From -1 for the lowest of five stars through 0 for three to 1 for five."""
    return max(-1.0, min(1.0, (share - _MIDDLE) / (1 - _MIDDLE)))
