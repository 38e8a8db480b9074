"""Detects partitions with records at the broker that the consumer never returns."""

from collections.abc import Mapping
from dataclasses import dataclass

from triage.clock import Clock
from triage.pipeline.batch import Partition
from triage.pipeline.source import PartitionState

_EMPTY_POLLS = 20


@dataclass(slots=True)
class _Unmoved:
    position: int
    since_s: float
    empty_polls: int


class StallDetector:
    """Detects stalled partitions. A worker uses one instance for its whole life.

    A partition is stalled if it has readable records, its position has not moved for `after_s` seconds, and polls
    returned nothing meanwhile (while other partitions have records, a partition may have to wait). Each position is
    reported once, so that one that no consumer can pass (such as the end of an aborted transaction) causes only one
    rebuild.
    """

    def __init__(self, clock: Clock, after_s: float = 30.0) -> None:
        self._clock = clock
        self._after_s = after_s
        self._empty_polls = 0
        self._unmoved: dict[Partition, _Unmoved] = {}
        self._reported: dict[Partition, int] = {}

    def count_empty_poll(self) -> None:
        self._empty_polls += 1

    def stalled(self, states: Mapping[Partition, PartitionState]) -> list[Partition]:
        """Return the partitions that are stalled and were not yet reported at this position.

        `states` has the state of all assigned partitions.
        """
        now = self._clock.monotonic()
        self._unmoved = {partition: unmoved for partition, unmoved in self._unmoved.items() if partition in states}
        found = []
        for partition, state in states.items():
            unmoved = self._unmoved.get(partition)
            if state.readable == 0 or unmoved is None or unmoved.position != state.position:
                self._unmoved[partition] = _Unmoved(state.position, now, self._empty_polls)
            elif (
                now - unmoved.since_s >= self._after_s
                and self._empty_polls - unmoved.empty_polls >= _EMPTY_POLLS
                and self._reported.get(partition) != state.position
            ):
                self._reported[partition] = state.position
                found.append(partition)
        return found
