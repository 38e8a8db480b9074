"""Notices a partition of which the broker has records and the consumer reads none, though it has time to."""

from collections.abc import Mapping
from dataclasses import dataclass

from triage.clock import Clock
from triage.pipeline.batch import Partition
from triage.pipeline.source import PartitionState

_EMPTY_POLLS = 20


@dataclass(slots=True)
class _Still:
    position: int
    since_s: float
    empty_polls: int


class StallWatch:
    """One for the life of a worker, over the feeds that it rebuilds.

    A partition stands still when it lags, its position has not moved for `after_s`, and meanwhile polls came back
    empty: with other partitions to read from, a partition may rightly wait. Each position is named once, so that one
    that no rebuilt consumer can pass (the end of an aborted transaction, say) costs a single rebuild.
    """

    def __init__(self, clock: Clock, after_s: float = 30.0) -> None:
        self._clock = clock
        self._after_s = after_s
        self._empty_polls = 0
        self._still: dict[Partition, _Still] = {}
        self._named: dict[Partition, int] = {}

    def polled_nothing(self) -> None:
        self._empty_polls += 1

    def stalled(self, states: Mapping[Partition, PartitionState]) -> list[Partition]:
        """Those of the partitions owned that stand still and were not named at this position before."""
        now = self._clock.monotonic()
        self._still = {partition: still for partition, still in self._still.items() if partition in states}
        found = []
        for partition, state in states.items():
            still = self._still.get(partition)
            if state.lag == 0 or still is None or still.position != state.position:
                self._still[partition] = _Still(state.position, now, self._empty_polls)
            elif (
                now - still.since_s >= self._after_s
                and self._empty_polls - still.empty_polls >= _EMPTY_POLLS
                and self._named.get(partition) != state.position
            ):
                self._named[partition] = state.position
                found.append(partition)
        return found
