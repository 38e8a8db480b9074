"""What the finders share."""

import re
from collections.abc import Callable, Iterable

Found = list[tuple[int, int]]
Finder = Callable[[str], Found]

MASK = "\ue000"
"""From the private use area; `fold` drops the ones that a text brings along."""
CJK = "\u2e80-\u303f\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_LOOK_BACK = 40


def mask(text: str, found: Iterable[tuple[int, int]]) -> str:
    """The text with every stretch of `found` (sorted, not overlapping) blotted out; the length stays."""
    parts: list[str] = []
    position = 0
    for start, end in found:
        parts += text[position:start], MASK * (end - start)
        position = end
    parts.append(text[position:])
    return "".join(parts)


def merged(found: Found) -> Found:
    """Sorted, and stretches that overlap made one."""
    result: Found = []
    for start, end in sorted(found):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def scan(pattern: re.Pattern[str], text: str, accept: Callable[[re.Match[str]], bool]) -> Found:
    """Every accepted match of a pattern of bounded length; after a refused one the search goes on a character later."""
    found = []
    position = 0
    while (match := pattern.search(text, position)) is not None:
        if accept(match):
            found.append(match.span())
            position = match.end()
        else:
            position = match.start() + 1
    return found


def cued(text: str, start: int, cue: re.Pattern[str]) -> bool:
    """Does `cue`, which is anchored at its end, stand right before `start`?"""
    return cue.search(text[max(0, start - _LOOK_BACK) : start]) is not None
