"""Which keys of a rule are watched one by one: those with most records; the others are counted as one. Pure."""

import heapq
from collections.abc import Callable, Iterable, Mapping

from triage.alerting.evaluation.rolling import Rolling
from triage.alerting.evaluation.stored_baseline import StepCount
from triage.schemas.counts import OTHER, dimension_key

_DAY_MS = 86_400_000
# A key of which so little is left, halved each day, has not been heard of for weeks.
_IDLE_VOLUME = 1e-4


class TopKeys:
    """Admits keys to `rolling` and drops them again, `dropped(key)`.

    At most `top_keys`: those with most records, halved each day; the others are counted as one key whose values are
    `__other__`. Which ones is decided when a step closes, so it does not depend on the order in which counts come.
    """

    def __init__(
        self,
        dimension: Iterable[str],
        rolling: Rolling,
        *,
        step_ms: int,
        top_keys: int,
        dropped: Callable[[str], None],
    ) -> None:
        self.unwatched = 0
        self._rolling = rolling
        self._step_ms = step_ms
        self._top_keys = top_keys
        self._dropped = dropped
        self._kept = 0.5 ** (step_ms / _DAY_MS)
        self._other = dict.fromkeys(dimension, OTHER)
        self.other_key = dimension_key(self._other)

    def begin(self, start_ms: int) -> None:
        """A step begins, empty for all; what was left out since the last one had no record."""
        last_ms = self._rolling.last_ms
        passed = 1 if last_ms is None else (start_ms - last_ms) // self._step_ms
        self._rolling.begin(start_ms)
        self._rolling.volume *= self._kept**passed

    def add(self, start_ms: int, counts: Mapping[str, StepCount]) -> list[str]:
        """Count a step of keys that are watched, or are from now on; returns those that are new."""
        new = []
        for key, count in counts.items():
            if key not in self._rolling.rows:
                new.append(key)
            row = self._rolling.admit(key, count.dimensions)
            self._rolling.add(key, start_ms, count.negative, count.total)
            self._rolling.volume[row] += count.total
        return new

    def forget_idle(self) -> None:
        rows = self._rolling.rows
        if not rows or self._rolling.volume[list(rows.values())].min() >= _IDLE_VOLUME:
            return
        for key in [key for key, row in rows.items() if self._rolling.volume[row] < _IDLE_VOLUME]:
            self.drop(key)

    def drop(self, key: str) -> None:
        self._rolling.drop(key)
        self._dropped(key)

    def drop_all(self) -> None:
        for key in list(self._rolling.rows):
            self.drop(key)

    def choose(self, counts: Mapping[str, StepCount]) -> dict[str, StepCount]:
        """Counts by watched key: room is made for new keys with more records than the least of the old ones."""
        rows = self._rolling.rows
        # Some may have been counted as one already, for the bound on a step's keys.
        others = [counts[self.other_key]] if self.other_key in counts else []
        counts = {key: count for key, count in counts.items() if key != self.other_key}
        new = sorted((key for key in counts if key not in rows), key=lambda key: (-counts[key].total, key))
        watched = {key: count for key, count in counts.items() if key in rows}
        room = self._top_keys - len(rows) + (self.other_key in rows)
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
            rest = rest[len(replaced) :] + [key for key in replaced if watched.pop(key, None) is not None]
        self.unwatched = len(rest)
        watched |= {key: counts[key] for key in admitted}
        others += [counts[key] for key in rest]
        if others:
            watched[self.other_key] = StepCount(
                self._other, sum(count.negative for count in others), sum(count.total for count in others)
            )
        return watched
