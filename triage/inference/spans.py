"""Merges tagged tokens into entity spans."""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from triage.types import Span


class TaggedToken(NamedTuple):
    """A token with a tag other than O; `start` and `end` are code points of the text, end exclusive."""

    rank: int  # position among the tokens that cover characters of the text
    start: int
    end: int
    begins: bool  # B- rather than I-
    label: str
    probability: float


def merge_tokens(text: str, tokens: Iterable[TaggedToken]) -> list[Span]:
    """Entities from the tagged tokens of one text, in order, not overlapping.

    An I- tag that does not continue an entity (after O, or after another label) begins one, as B- does. A word of an
    alphabetic script always belongs to one entity as a whole, with the label of its first tagged token. The confidence
    is the mean of the tokens' probabilities. A span without a letter or digit is dropped.
    """
    spans: list[Span] = []
    start = end = last = -1
    label = ""
    probabilities: list[float] = []

    def close() -> None:
        if probabilities and any(character.isalnum() for character in text[start:end]):
            spans.append(Span(start, end, label, sum(probabilities) / len(probabilities), "model"))

    for token in tokens:
        token_start, token_end = strip_span(text, token.start, token.end)
        if token_start == token_end:
            continue
        inside_word = token_start < end
        follows = token.rank == last + 1 and not token.begins and token.label == label
        last = token.rank
        token_end = _word_end(text, token_end)
        if probabilities and (inside_word or follows):
            end = max(end, token_end)
            probabilities.append(token.probability)
            continue
        close()
        start, end, label = max(_word_start(text, token_start), end), token_end, token.label
        probabilities = [token.probability]
    close()
    return spans


def strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The span [start, end) without whitespace at its ends; start and end are equal if nothing is left."""
    end = min(end, len(text))
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return min(start, end), end


def _word_start(text: str, start: int) -> int:
    while 0 < start < len(text) and same_word(text[start - 1], text[start]):
        start -= 1
    return start


def _word_end(text: str, end: int) -> int:
    while 0 < end < len(text) and same_word(text[end - 1], text[end]):
        end += 1
    return end


def same_word(left: str, right: str) -> bool:
    """True if two neighbouring characters, `left` and `right`, belong to one word."""
    return _in_word(left) and _in_word(right)


def _in_word(character: str) -> bool:
    """True for letters, digits and combining marks of scripts that separate words by spaces.

    In other scripts a word may end inside a run of letters.
    """
    if character >= "\u0900" and not "\u1e00" <= character < "\u2000":
        return False
    return character.isalnum() or unicodedata.combining(character) != 0
