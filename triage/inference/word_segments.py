"""Splits a text into word segments, in scripts with and without spaces."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from triage.inference.spans import same_word, strip_span

_CLAUSE_END = re.compile(r"[.,;:!?…\n，。；：！？、]")
Segment = tuple[int, int]
"""Start and end of a word in code points, end exclusive."""


def word_segments(text: str, tokens: Iterable[Sequence[int]]) -> list[Segment]:
    """Segments of `text` from its tokens' [start, end) offsets, in order, not overlapping.

    Tokens of alphabetic scripts are joined to whole words. In Chinese and other scripts without spaces each token is a
    segment: the tokenizer's vocabulary was learned from text, so its tokens are mostly words (快递, 退款). Punctuation
    is left out; emoji and other symbols are segments.
    """
    segments: list[list[int]] = []
    for token in tokens:
        start, end = strip_span(text, int(token[0]), int(token[1]))
        if start == end:
            continue
        last_end = segments[-1][1] if segments else -1
        if start < last_end or (start == last_end and same_word(text[start - 1], text[start])):
            segments[-1][1] = max(last_end, end)
        else:
            segments.append([start, end])
    return [(start, end) for start, end in segments if any(_is_visible(char) for char in text[start:end])]


def group_segments(segments: Sequence[Segment], most: int) -> list[Segment]:
    """Reduce segments to at most `most`, by joining neighbours into groups of nearly equal size."""
    if len(segments) <= most:
        return list(segments)
    bounds = [round(number * len(segments) / most) for number in range(most + 1)]
    return [(segments[first][0], segments[last - 1][1]) for first, last in itertools.pairwise(bounds)]


def clauses(text: str, segments: Sequence[Segment]) -> list[list[int]]:
    """Indices of the segments of each clause; punctuation or a line break between two segments ends a clause."""
    found: list[list[int]] = []
    for index, (start, _) in enumerate(segments):
        if not index or _CLAUSE_END.search(text[segments[index - 1][1] : start]):
            found.append([])
        found[-1].append(index)
    return found


def _is_visible(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "S"
