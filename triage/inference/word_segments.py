"""A text in pieces that people read as words, in scripts with blanks and without."""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from triage.inference.spans import joined, trimmed

_CLAUSE_END = re.compile(r"[.,;:!?…\n，。；：！？、]")
Piece = tuple[int, int]
"""Start and end in code points."""


def words(text: str, tokens: Iterable[Sequence[int]]) -> list[Piece]:
    """Pieces of `text` from its tokens' [start, end] offsets, in order, not overlapping.

    Word pieces of alphabetic scripts become whole words. Chinese and other scripts without blanks stay as the
    tokenizer cut them: its vocabulary was learnt from text, so that its pieces are mostly words (快递, 退款). Bare
    punctuation is left out; emoji and other symbols are pieces.
    """
    pieces: list[list[int]] = []
    for token in tokens:
        start, end = trimmed(text, int(token[0]), int(token[1]))
        if start == end:
            continue
        if pieces and (start < pieces[-1][1] or (start == pieces[-1][1] and joined(text[start - 1], text[start]))):
            pieces[-1][1] = max(pieces[-1][1], end)
        else:
            pieces.append([start, end])
    return [(start, end) for start, end in pieces if any(_says_something(char) for char in text[start:end])]


def grouped(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """At most `most` pieces: neighbours joined into runs of nearly equal length."""
    if len(pieces) <= most:
        return list(pieces)
    bounds = [round(number * len(pieces) / most) for number in range(most + 1)]
    return [(pieces[first][0], pieces[last - 1][1]) for first, last in itertools.pairwise(bounds)]


def clauses(text: str, pieces: Sequence[Piece]) -> list[list[int]]:
    """Numbers of the pieces of each clause: punctuation between two pieces, or a new line, ends one."""
    found: list[list[int]] = []
    for number, (start, _) in enumerate(pieces):
        if not number or _CLAUSE_END.search(text[pieces[number - 1][1] : start]):
            found.append([])
        found[-1].append(number)
    return found


def _says_something(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "S"
