"""Finds the sentence of a review that speaks of an aspect, word for word."""

import re
from functools import lru_cache
from pathlib import Path

from triage.decoding import read_yaml
from triage.rules.phrases import PhraseIndex
from triage.types import TextParts

MOST_CHARS = 240
_SENTENCE = re.compile(r"[^.!?。！？；\n]+(?:[.!?。！？；]+|\n|$)")
_CLAUSE = re.compile(r"[^,，;；]+(?:[,，;；]|$)")
_SHORT_CHARS = 120
_CUES = Path(__file__).with_name("aspects.yaml")


def aspect_span(text: str, parts: TextParts, aspect: str) -> tuple[int, int] | None:
    """(start, end) of the first sentence of `parts` with a word of the aspect; a short review as a whole.

    None if no sentence has one: which one speaks of the aspect is then unknown.
    """
    index, numbers = _cues()
    wanted = numbers.get(aspect, frozenset())
    sentences = [span for start, end in parts.ranges for span in _spans(_SENTENCE, text, start, end)]
    for start, end in sentences:
        if wanted & index.find(text[start:end]):
            return (start, end) if end - start <= MOST_CHARS else _shortened(text, start, end, wanted)
    if sentences and sentences[-1][1] - sentences[0][0] <= _SHORT_CHARS:
        return sentences[0][0], sentences[-1][1]
    return None


def _shortened(text: str, start: int, end: int, wanted: frozenset[int]) -> tuple[int, int] | None:
    """The clause of a long sentence that has a word of the aspect."""
    index, _ = _cues()
    for first, last in _spans(_CLAUSE, text, start, end):
        if wanted & index.find(text[first:last]) and last - first <= MOST_CHARS:
            return first, last
    return None


def _spans(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Matches without the white space around them; empty ones are left out."""
    found = []
    for match in pattern.finditer(text, start, end):
        said = match[0]
        first = match.start() + len(said) - len(said.lstrip())
        last = match.end() - (len(said) - len(said.rstrip()))
        if last > first:
            found.append((first, last))
    return found


@lru_cache(1)
def _cues() -> tuple[PhraseIndex, dict[str, frozenset[int]]]:
    index = PhraseIndex()
    return index, {
        aspect: index.add(word for words in by_language.values() for word in words)
        for aspect, by_language in read_yaml(_CUES).items()
    }
