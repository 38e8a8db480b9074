"""Finds postal addresses: a house number with its street, and adjacent locations that the entity head found.

A place alone, such as Paris or 上海市, is not an address. docs/redaction.md lists the supported forms.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence

from triage.han import simplified
from triage.patterns import any_of, load_patterns
from triage.redaction.names.edits import Range, joined

_WORDS = load_patterns("triage.redaction.names", "addresses")
_NUMBER = r"\d{1,5}(?:[A-Za-z]\b)?(?:[-/]\d{1,5}[A-Za-z]?)?"
_ROOM = rf"(?:(?i:{any_of(_WORDS['rooms'])})\b\.?\s?#?\s?[A-Za-z]?\d{{0,5}}[A-Za-z]?\b|#\s?\d{{1,5}}[A-Za-z]?\b)"
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\wÀ-ɏ'’.\-]{0,25}"
_SMALL = rf"(?!(?i:{any_of(_WORDS['not_names'])})\b)[A-Za-zÀ-ɏ][\wÀ-ɏ'’\-]{{1,25}}"
_ENGLISH = (
    rf"(?:{_ROOM},?\s{{1,2}})?(?<![\w.,$€£#/-]){_NUMBER},?\s{{1,2}}(?:"
    rf"(?:(?:{_CAPITAL}|\d{{1,3}}(?:st|nd|rd|th)|of|the)\s{{1,2}}){{1,4}}{any_of(_WORDS['streets'])}\b\.?"
    rf"|(?:(?i:[nsew]|north|south|east|west)\.?\s{{1,2}})?(?:(?:{_SMALL}|\d{{1,3}}(?:st|nd|rd|th))\s{{1,2}}){{1,2}}"
    rf"(?i:{any_of(_WORDS['streets_small'])})\b\.?)"
    rf"(?:\s(?:N|S|E|W|NE|NW|SE|SW)\b\.?)?(?:,?\s{{1,2}}{_ROOM})?"
)
_BOX = r"(?<!\w)(?i:p\.?\s?o\.?\s?box|postfach|boîte postale|apartado)\s{1,2}\d[\d ]{0,8}\d?"
_GERMAN = (
    rf"(?<!\w)(?:[A-ZÄÖÜ][\wäöüß\-]{{1,30}}{any_of(_WORDS['german'])}"
    rf"|(?:(?:Am|An der|Im|In der|Zum|Zur|Auf der)\s)?[A-ZÄÖÜ][\wäöüß\-]{{2,30}}[\s\-]{any_of(_WORDS['german_alone'])})"
    r"\s{1,2}\d{1,4}\s?[a-z]?\b"
)
_FRENCH = (
    rf"(?<!\w)\d{{1,4}}(?:\s?(?:bis|ter)\b)?,?\s{{1,2}}(?:{any_of(_WORDS['french'])})\s"
    r"(?:(?:de la|de l['’]|de|du|des|d['’]|la|le|les|l['’])\s?){0,2}[A-ZÀ-Þ][\wÀ-ɏ'’\-]{1,25}"
    r"(?:[\s\-](?:(?:de|du|des|la|le)[\s\-])?[A-ZÀ-Þ][\wÀ-ɏ'’\-]{1,25}){0,3}"
)
_EUROPEAN = re.compile(f"{_FRENCH}|{_ENGLISH}|{_GERMAN}|{_BOX}")
_POSTCODE = any_of(_WORDS["postcodes"])
# What follows the street: postcode and town in either order.
_AFTER = re.compile(
    rf"[\s,]{{1,3}}(?:{_POSTCODE}(?:\s{{1,2}}{_CAPITAL}(?:[ \-]{_CAPITAL}){{0,2}})?"
    rf"|{_CAPITAL}(?:[ \-]{_CAPITAL}){{0,2}}[\s,]{{1,3}}{_POSTCODE}|{_ROOM})"
)
_BESIDE = re.compile(r"[ \t\n,，、/·\-]{0,3}")
_HAS_DIGIT = re.compile(r"\d")

_HAN = r"[\u3400-\u9fff]"
_COUNT = r"[甲乙丙丁]?(?:[A-Za-z]?\d{1,5}[A-Za-z]?|[一二三四五六七八九十百零〇]{1,5})"
_NOT_NUMBER = rf"(?!{any_of(_WORDS['not_numbers_zh'])})"
_HOUSE = rf"{_COUNT}(?:[\-－~之]{_COUNT})?{any_of(_WORDS['numbers_zh'])}{_NOT_NUMBER}(?:之{_COUNT})?"
_ANCHOR = re.compile(
    rf"(?:{any_of(_WORDS['roads_zh'])}(?:[东西南北中]?{_COUNT}段|[东西南北中]|段)?(?:{_COUNT}[巷弄街路]){{0,2}}"
    rf"|{any_of(_WORDS['compounds_zh'])}(?:[一二三四五六七八九十\d]{{1,2}}期|[东西南北]区)?)\s?{_HOUSE}"
)
_MORE = re.compile(
    rf"[\s,，]{{0,2}}(?:{_HAN}{{2,10}}?{any_of(_WORDS['compounds_zh'])}\s?(?={_COUNT}|[A-Za-z][座栋室])|[A-Za-z]座|{_HOUSE}"
    rf"|(?<=[号楼栋幢座层元])[A-Za-z]?\d{{2,4}}(?!\d)|之{_COUNT}|[A-Za-z]室)"
)
_BEFORE = re.compile(any_of(_WORDS["before_zh"]))
_LEFT = re.compile(r"[\u3400-\u9fff\d]{0,40}$")
_LEAST_NAME = 2
_MAX_MORE = 8
# Locations farther away belong to no address.
_REACH = 200


def find_addresses(text: str, locations: Sequence[Range]) -> list[Range]:
    """Ranges of the postal addresses in a text, sorted and not overlapping.

    `locations` are the ranges that the entity head labelled as locations, sorted; those next to a street become part of
    the address.
    """
    if not _HAS_DIGIT.search(text) and "号" not in text and "號" not in text:
        return []
    folded = simplified(text)
    found: list[Range] = []
    begins = [start for start, _ in locations]
    for pattern, start_of in ((_EUROPEAN, _start), (_ANCHOR, _start_zh)):
        position = 0
        while match := pattern.search(folded, position):
            first = bisect_left(begins, match.start() - _REACH)
            near = locations[first : bisect_left(begins, match.end() + _REACH)]
            start = start_of(folded, match.start(), near)
            end = _end(folded, match.end(), near)
            found.append((start, end))
            position = end
    return joined(found)


def _start(text: str, start: int, locations: Sequence[Range]) -> int:
    """Start of an address, including a location right before it: `Berlin, Hauptstraße 12`."""
    for first, last in reversed(locations):
        if first < start and (last >= start or _BESIDE.fullmatch(text, last, start)):
            start = first
    return start


def _start_zh(text: str, anchor: int, locations: Sequence[Range]) -> int:
    """Start of a Chinese address: of the district and road before `anchor`, after a sign or a word such as 在."""
    left = _LEFT.search(text, max(0, anchor - 40), anchor)
    start = left.start() if left else anchor
    starts = [match.end() for match in _BEFORE.finditer(text, start, max(start, anchor - _LEAST_NAME))]
    start = starts[-1] if starts else start
    return _start(text, start, locations)


def _end(text: str, end: int, locations: Sequence[Range]) -> int:
    for _ in range(_MAX_MORE):
        before = end
        if match := _MORE.match(text, end) or _AFTER.match(text, end):
            end = match.end()
        for first, last in locations:
            if last > end and (first <= end or _BESIDE.fullmatch(text, end, first)):
                end = last
        if end == before:
            break
    return end
