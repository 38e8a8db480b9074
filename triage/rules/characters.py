"""Sets of characters as sorted ranges of code points, and the contents of the character classes of Python's `re`."""

import re
import sys
from _sre import unicode_iscased, unicode_tolower  # type: ignore[import-untyped,import-not-found,unused-ignore]
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from re._casefix import _EXTRA_CASES  # type: ignore[import-untyped,import-not-found,unused-ignore]

Ranges = tuple[tuple[int, int], ...]
"""First and last code point of each range; sorted, and neither overlapping nor adjacent."""

LAST = sys.maxunicode
EVERY: Ranges = ((0, LAST),)
NEWLINE: Ranges = ((10, 10),)
_LAST_CASED = 0x1FFFF


def union(*sets: Iterable[tuple[int, int]]) -> Ranges:
    """All characters in any of the sets. The ranges of each set may be in any order."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(each for ranges in sets for each in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """All characters that are not in `ranges`."""
    edges = [-1, *(edge for each in ranges for edge in each), LAST + 1]
    return tuple(
        (before + 1, after - 1) for before, after in zip(edges[::2], edges[1::2], strict=True) if before + 1 < after
    )


@cache
def category(name: str) -> Ranges:
    """The characters that `re` includes in the class `name`, one of `\\w`, `\\d` or `\\s`."""
    every = array("I", range(LAST + 1)).tobytes().decode(f"utf-32-{sys.byteorder[0]}e", "surrogatepass")
    return tuple((run.start(), run.end() - 1) for run in re.finditer(f"{name}+", every))


def in_any_case(ranges: Ranges) -> Ranges:
    """The characters in `ranges`, and all that `re` treats as equal to one of them when it ignores case."""
    cased, same = _cased()
    found = [
        (other, other)
        for first, last in ranges
        for char in cased[bisect_left(cased, first) : bisect_right(cased, last)]
        for other in same[char]
    ]
    return union(ranges, found)


@cache
def _cased() -> tuple[list[int], dict[int, frozenset[int]]]:
    """All characters that have another case, sorted, and for each of them the set of its cases, itself included."""
    groups: dict[int, set[int]] = {}
    for code in range(_LAST_CASED + 1):
        lower = unicode_tolower(code)
        if lower != code or unicode_iscased(code):
            groups.setdefault(lower, {lower}).add(code)
    for lower, others in _EXTRA_CASES.items():
        together = groups.get(lower, {lower}).union(*(groups.get(other, {other}) for other in others))
        groups |= dict.fromkeys((lower, *others), together)
    same = {code: frozenset(group) for group in groups.values() if len(group) > 1 for code in group}
    return sorted(same), same
