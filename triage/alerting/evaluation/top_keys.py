"""Selection of the keys of a rule that are evaluated individually: those with most records. Pure."""

import heapq
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from triage.alerting.evaluation.rolling import RollingCounts
from triage.alerting.evaluation.stored_baseline import StepCount
from triage.clock import DAY_MS
from triage.schemas.counts import OTHER, dimension_key

# A key whose volume, halved each day, is below this has had no record for weeks.
_IDLE_VOLUME = 1e-4


class TopKeys:
    """Selects the keys of a rule that are tracked individually, and adds and removes their rows in `rolling`.

    At most `top_keys` keys are tracked: those with most records, where each day halves the weight of the days before.
    All others are counted together as one key whose values are `__other__`. The selection is made when a step closes,
    so it does not depend on the order of arrival. `untracked` is the number of keys in the last step that were counted
    together. `on_drop(key)` is called for each removed key.
    """

    def __init__(
        self,
        dimension: Iterable[str],
        rolling: RollingCounts,
        *,
        step_ms: int,
        top_keys: int,
        on_drop: Callable[[str], None],
    ) -> None:
        self.untracked = 0
        self._rolling = rolling
        self._step_ms = step_ms
        self._limit = top_keys
        self._on_drop = on_drop
        self._decay = 0.5 ** (step_ms / DAY_MS)
        self._other = dict.fromkeys(dimension, OTHER)
        self.other_key = dimension_key(self._other)

    def begin(self, start_ms: int) -> None:
        """Start a new step with zero counts for all keys. Steps that were skipped count as empty."""
        last_ms = self._rolling.last_ms
        passed = 1 if last_ms is None else (start_ms - last_ms) // self._step_ms
        self._rolling.begin(start_ms)
        self._rolling.volume *= self._decay**passed

    def add(self, counts: Mapping[str, StepCount]) -> list[str]:
        """Add the last step's counts, by tracked key. Returns the keys that were not tracked before."""
        rows = self._rolling.rows
        new = [key for key in counts if key not in rows]
        for key in new:
            self._rolling.admit(key, counts[key].dimensions)
        if counts:
            size = len(counts)
            negative = np.fromiter((count.negative for count in counts.values()), np.float64, size)
            total = np.fromiter((count.total for count in counts.values()), np.float64, size)
            self._rolling.add_to_last(np.fromiter(map(rows.__getitem__, counts), np.intp, size), negative, total)
        return new

    def admit_late(self, start_ms: int, key: str, dimensions: Mapping[str, str], total: int) -> str:
        """The key under which late records are counted: `key` if it is tracked or there is room, else `__other__`."""
        rows = self._rolling.rows
        if key in rows:
            return key
        if self._limit - len(rows) + (self.other_key in rows) <= 0:
            key, dimensions = self.other_key, self._other
            if key in rows:
                return key
        row = self._rolling.admit(key, dimensions)
        assert self._rolling.last_ms is not None
        # As if they had come in time: without a volume its row would be dropped as idle.
        self._rolling.volume[row] = total * self._decay ** ((self._rolling.last_ms - start_ms) // self._step_ms)
        return key

    def drop_idle(self) -> None:
        rows = self._rolling.rows
        if not rows or self._rolling.volume[self._rolling.row_numbers].min() >= _IDLE_VOLUME:
            return
        for key in [key for key, row in rows.items() if self._rolling.volume[row] < _IDLE_VOLUME]:
            self.drop(key)

    def drop(self, key: str) -> None:
        self._rolling.drop(key)
        self._on_drop(key)

    def drop_all(self) -> None:
        for key in list(self._rolling.rows):
            self.drop(key)

    def choose(self, counts: Mapping[str, StepCount]) -> dict[str, StepCount]:
        """Select the keys to track in a step; returns the step's counts by tracked key.

        New keys with more records replace the tracked keys with the least volume. All others are summed under the key
        whose values are `__other__`.
        """
        rows = self._rolling.rows
        if counts.keys() <= rows.keys():
            self.untracked = 0
            return dict(counts)
        # Some may have been counted together before, because of the limit on a step's keys.
        others = [counts[self.other_key]] if self.other_key in counts else []
        counts = {key: count for key, count in counts.items() if key != self.other_key}
        new = sorted((key for key in counts if key not in rows), key=lambda key: (-counts[key].total, key))
        tracked = {key: count for key, count in counts.items() if key in rows}
        room = self._limit - len(rows) + (self.other_key in rows)
        admitted, rest = new[: max(room, 0)], new[max(room, 0) :]
        if rest:
            volumes = ((float(self._rolling.volume[row]), key) for key, row in rows.items() if key != self.other_key)
            replaced: list[str] = []
            for (volume, least), key in zip(heapq.nsmallest(len(rest), volumes), rest, strict=False):
                if counts[key].total <= volume:
                    break
                self.drop(least)
                replaced.append(least)
                admitted.append(key)
            rest = rest[len(replaced) :] + [key for key in replaced if tracked.pop(key, None) is not None]
        self.untracked = len(rest)
        tracked |= {key: counts[key] for key in admitted}
        others += [counts[key] for key in rest]
        if others:
            tracked[self.other_key] = StepCount(
                self._other, sum(count.negative for count in others), sum(count.total for count in others)
            )
        return tracked
