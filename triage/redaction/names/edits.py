"""Replaces parts of a text and maps offsets of the old text to the new one."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Range = tuple[int, int]


class Edit(NamedTuple):
    """The replacement of `text[start:end]` by `placeholder`.

    `label`, `confidence` and `source` are those of the entity that stands for the placeholder in the record.
    """

    start: int
    end: int
    label: str
    placeholder: str
    confidence: float
    source: str


class Edited:
    """A text after its edits (sorted, not overlapping); maps ranges of the old text to the new one.

    Offsets are Unicode code points.
    """

    def __init__(self, text: str, edits: Sequence[Edit]) -> None:
        self._edits = edits
        self._starts = [edit.start for edit in edits]
        self._new_ends: list[int] = []
        parts: list[str] = []
        position = length = 0
        for edit in edits:
            parts += text[position : edit.start], edit.placeholder
            length += edit.start - position + len(edit.placeholder)
            position = edit.end
            self._new_ends.append(length)
        parts.append(text[position:])
        self.text = "".join(parts)

    def moved(self, start: int, end: int) -> Range:
        """Map the range `start:end` of the old text to the new text.

        A range that begins or ends within an edit includes its whole placeholder.
        """
        return self._moved(start, at_end=False), self._moved(end, at_end=True)

    def _moved(self, offset: int, *, at_end: bool) -> int:
        index = bisect_right(self._starts, offset - at_end) - 1
        if index < 0:
            return offset
        edit, new_end = self._edits[index], self._new_ends[index]
        if offset < edit.end:
            return new_end if at_end else new_end - len(edit.placeholder)
        return offset - edit.end + new_end

    def within(self, start: int, end: int) -> bool:
        """True if the range `start:end` of the old text contains all edits that it overlaps and equals none of them."""
        first = max(0, bisect_right(self._starts, start) - 1)
        near = self._edits[first : bisect_left(self._starts, end)]
        touching = [edit for edit in near if edit.start < end and start < edit.end]
        return all(start <= edit.start and edit.end <= end and edit[:2] != (start, end) for edit in touching)

    def placed(self) -> list[tuple[Edit, Range]]:
        """Return each edit with the range of its placeholder in the new text, in order."""
        return [
            (edit, (end - len(edit.placeholder), end)) for edit, end in zip(self._edits, self._new_ends, strict=True)
        ]


def merged(edits: Iterable[Edit]) -> list[Edit]:
    """Sort edits by start, and merge overlapping ones into one over their whole range.

    The merged edit has the label and placeholder of an address if it contains one, else of the model's edit.
    """
    result: list[Edit] = []
    for edit in sorted(edits):
        if result and edit.start < result[-1].end:
            last = result[-1]
            kept = min(edit, last, key=lambda one: (one.label != "location", one.source != "model"))
            result[-1] = kept._replace(start=last.start, end=max(edit.end, last.end))
        else:
            result.append(edit)
    return result


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Sort ranges by start, and join overlapping ones."""
    result: list[Range] = []
    for start, end in sorted(ranges):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def overlaps(start: int, end: int, ranges: Sequence[Range]) -> bool:
    """True if one of `ranges` (sorted, not overlapping) shares a character with `start:end`."""
    index = bisect_right(ranges, start, key=lambda one: one[1])
    return index < len(ranges) and ranges[index][0] < end


def outside(start: int, end: int, taken: Sequence[Range]) -> list[Range]:
    """The parts of the range `start:end` that no range of `taken` (sorted, not overlapping) covers."""
    parts = []
    for index in range(bisect_right(taken, start, key=lambda one: one[1]), len(taken)):
        first, last = taken[index]
        if first >= end:
            break
        if start < first:
            parts.append((start, first))
        start = last
    return [*parts, (start, end)] if start < end else parts
