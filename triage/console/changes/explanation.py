"""The values that explain a change of the number of records, ranked across fields. Pure."""

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
    """The change of one value of a field."""

    field: str
    change: Change

    @property
    def value(self) -> str:
        return self.change.values[0]


@dataclass(frozen=True)
class Explanation:
    """The change of all records (`total`), and the values that changed most beyond it, the strongest first.

    `negative`: the numbers are those of negative records. `first` explains at least half of the change, and most of
    that is due to `second`, a value of another field; both are None without such a value.
    """

    total: Change
    negative: bool
    ranked: tuple[Part, ...] = ()
    first: Part | None = None
    second: Part | None = None

    @property
    def flat(self) -> bool:
        """True if chance alone could have changed the total as much."""
        return abs(self.total.strength) < _MIN_STRENGTH


def ranked(total: Change, by_field: Mapping[str, Iterable[Change]], size: int) -> tuple[Part, ...]:
    """The values that rose or fell beyond chance, by how far they left the change of all records behind them.

    Of values with the same numbers, which are those of the same records, an aspect is left out.
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
    """The value that explains at least half of a change, beyond its share of the records before; None without one."""
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
    """The value that has at least half of a change, whatever it had before; None without one."""
    most = max(changes, key=lambda change: change.difference * total.difference, default=None)
    if most is None or most.difference * total.difference <= 0:
        return None
    return most.values[0] if abs(most.difference) >= _MOST * abs(total.difference) else None


def excess(change: Change, total: Change) -> float:
    """The number beyond that which the value would have if it had grown as all records did, in standard deviations.

    With too few records before to tell, the difference itself.
    """
    if total.before < _MIN_BEFORE:
        return change.strength
    expected = change.before * total.now / total.before
    spread = change.now + expected
    return (change.now - expected) / math.sqrt(spread) if spread else 0.0
