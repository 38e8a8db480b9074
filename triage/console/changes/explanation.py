"""Finds the values that explain a change in the number of records, ranked across fields. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triage.elastic.changes import Change

# Of the whole change, or of the part that is broken down further.
_MOST = 0.5
_MIN_STRENGTH = 2.0
_MIN_BEFORE = 5


@dataclass(frozen=True)
class Part:
    """A field, and the change in the number of records with one of its values."""

    field: str
    change: Change

    @property
    def value(self) -> str:
        return self.change.values[0]


@dataclass(frozen=True)
class Explanation:
    """The change of all records (`total`), and the values that changed most beyond it, the strongest first.

    `negative`: the numbers are those of negative records. `first` explains at least half of the change, and `second`, a
    value of another field, most of the change of `first`; both are None without such a value.
    """

    total: Change
    negative: bool
    ranked: tuple[Part, ...] = ()
    first: Part | None = None
    second: Part | None = None

    @property
    def flat(self) -> bool:
        """True if the change of the total could be due to chance."""
        return abs(self.total.strength) < _MIN_STRENGTH


def ranked(total: Change, by_field: Mapping[str, Iterable[Change]], size: int) -> tuple[Part, ...]:
    """Return the values that changed significantly, at most `size`, by how much they differ from the change of `total`.

    `by_field` has the changes of the values of each field. If an aspect has the same numbers as another value, both
    count the same records, and the aspect is left out.
    """
    strong = [
        Part(name, change)
        for name, changes in by_field.items()
        for change in changes
        if abs(change.strength) >= _MIN_STRENGTH
    ]
    others = {(part.change.now, part.change.before) for part in strong if part.field != "aspect"}
    kept = [part for part in strong if part.field != "aspect" or (part.change.now, part.change.before) not in others]
    return tuple(sorted(kept, key=lambda part: -abs(excess(part.change, total)))[:size])


def leading(total: Change, by_field: Mapping[str, Iterable[Change]]) -> Part | None:
    """Return the value that explains at least half of the change `total`, beyond its earlier share of records, or None.

    `by_field` has the changes of the values of each field.
    """
    parts = [
        Part(name, change)
        for name, changes in by_field.items()
        for change in changes
        if change.difference * total.difference > 0
        and abs(change.difference) >= _MOST * abs(total.difference)
        and excess(change, total) * total.difference > 0
        and abs(excess(change, total)) >= _MIN_STRENGTH
    ]
    return max(parts, key=lambda part: abs(excess(part.change, total)), default=None)


def majority(total: Change, changes: Sequence[Change]) -> str | None:
    """Return the value that makes up at least half of the change `total`, whatever its earlier count, or None.

    `changes` are those of the values of one field.
    """
    most = max(changes, key=lambda change: change.difference * total.difference, default=None)
    if most is None or most.difference * total.difference <= 0:
        return None
    return most.values[0] if abs(most.difference) >= _MOST * abs(total.difference) else None


def excess(change: Change, total: Change) -> float:
    """Return the records beyond what a value would have at the growth of all records, in standard deviations.

    If there are too few earlier records, it is the change itself in standard deviations.
    """
    if total.before < _MIN_BEFORE:
        return change.strength
    expected = change.before * total.now / total.before
    spread = change.now + expected
    return (change.now - expected) / math.sqrt(spread) if spread else 0.0
