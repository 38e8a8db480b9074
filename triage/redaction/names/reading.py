"""Finds entities in text that the model has not read: quoted history, signatures, the rest of long texts, fields."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from triage.redaction.names.edits import Range
from triage.types import Model, Span

# About 200 tokens; a piece that has more than the model reads is halved.
_MAX_CHARS = 800
_MAX_CHARS_HAN = 200
_HAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af]")
_LINE = re.compile(r"\n\s*")
_BREAKS = (re.compile(r"[.!?。！？；;]+\s*"), re.compile(r"[,，、:：]?\s+"))
# Read twice where a text is not cut after a line: a name may be on both sides.
_OVERLAP = 40
_LEAST_CHARS = 100
_ROUNDS = 12


def read_all(model: Model, texts: Sequence[tuple[str, Sequence[Range]]]) -> list[list[Span]]:
    """The model's entity spans in the given ranges of each text, with offsets in the whole text.

    `texts` are (text, ranges) pairs. The model is called once for all ranges, and again for the rest of ranges longer
    than its limit. Raises ModelError if the runtime fails.
    """
    found: list[list[Span]] = [[] for _ in texts]
    waiting = [
        (index, piece)
        for index, (text, ranges) in enumerate(texts)
        for start, end in ranges
        for piece in _pieces(text, start, end, _MAX_CHARS_HAN if _HAN.search(text, start, end) else _MAX_CHARS)
    ]
    for _ in range(_ROUNDS):
        if not waiting:
            break
        predictions = model.predict([texts[index][0][start:end] for index, (start, end) in waiting])
        too_long = []
        for (index, (start, end)), prediction in zip(waiting, predictions, strict=True):
            if prediction.truncated and end - start >= _LEAST_CHARS:
                too_long += [(index, piece) for piece in _pieces(texts[index][0], start, end, (end - start) // 2 + 1)]
            else:
                found[index] += [
                    replace(span, start=span.start + start, end=span.end + start) for span in prediction.spans
                ]
        waiting = too_long
    return found


def _pieces(text: str, start: int, end: int, size: int) -> Iterable[Range]:
    """Ranges of at most `size` characters, cut after a line, sentence or word; those without letters are left out."""
    while end - start > size:
        cut, following = _cut(text, start, start + size)
        if _worth_reading(text[start:cut]):
            yield start, cut
        start = following
    if _worth_reading(text[start:end]):
        yield start, end


def _cut(text: str, start: int, end: int) -> Range:
    """Find the end of this piece, and the start of the next one.

    The cut is after the last line in the second half of the piece, else after a sentence, else a word, else at `end`.
    """
    middle = start + (end - start) // 2
    if lines := [match.end() for match in _LINE.finditer(text, middle, end)]:
        return lines[-1], lines[-1]
    for pattern in _BREAKS:
        if ends := [match.end() for match in pattern.finditer(text, middle, end)]:
            back = [match.end() for match in pattern.finditer(text, max(middle, ends[-1] - _OVERLAP), ends[-1] - 1)]
            return ends[-1], back[0] if back else ends[-1] - min(_OVERLAP, (ends[-1] - start) // 2)
    return end, end - min(_OVERLAP, (end - start) // 2)


def _worth_reading(piece: str) -> bool:
    return any(char.isalpha() for char in piece)
