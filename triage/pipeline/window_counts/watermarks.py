"""Watermarks of raw partitions: the event time up to which a partition's records are counted.

Threads. Only the worker's own thread uses them, through the publisher. They need no locks, and nothing blocks.

State. Per assigned partition: the highest event time observed, the last watermark sent, and since when the partition
has been idle. Observing a batch and sending watermarks belong to one transaction: `commit` makes them final, `rollback`
restores those of the last committed transaction. A watermark never decreases.

Retries. A batch that is published again is observed again. A batch that is abandoned after a rollback has no effect, so
no watermark passes records that are not counted.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from triage.clock import Clock
from triage.pipeline.source import PartitionState
from triage.schemas.counts import Watermark
from triage.types import Position

Partition = tuple[str, int]


@dataclass(slots=True)
class _Progress:
    highest_ms: int | None = None  # event time, limited by broker and clock
    watermark_ms: int | None = None  # as last sent: never goes back
    # (monotonic seconds, clock in ms) while without lag and without a break, oldest first.
    idle_since: deque[tuple[float, int]] = field(default_factory=deque)


class PartitionWatermarks:
    """Computes the watermarks of the partitions that are assigned to one worker.

    The watermark of an active partition is its highest event time minus `out_of_orderness_ms`. Event times are limited
    to the earlier of the broker's timestamp and the clock, so that one record from the future cannot close every
    window. A partition without lag for `idle_after_s` real seconds is idle. Its watermark is T - `out_of_orderness_ms`,
    where T is the time of the (possibly simulated) clock `idle_after_s` real seconds before the last poll began: a
    record sent before T has had that long to be polled.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        out_of_orderness_ms: int = 5_000,
        idle_after_s: float = 2.0,
        interval_ms: int = 1_000,
    ) -> None:
        self._clock = clock
        self._bound_ms = out_of_orderness_ms
        self._idle_after_s = idle_after_s
        self._interval_s = interval_ms / 1000
        self._progress: dict[Partition, _Progress] = {}
        self._sent_at: float | None = None
        self._committed: dict[Partition, tuple[int | None, int | None]] = {}
        self._committed_sent_at: float | None = None
        self._called_at: float | None = None

    def observe(self, position: Position, event_ms: int | None, broker_ms: int) -> None:
        """Include the times of one record in the watermarks of the next transaction.

        `event_ms` is None for a refused record. `commit` or `rollback` must follow when the transaction has ended.
        """
        progress = self._progress.setdefault((position.topic, position.partition), _Progress())
        progress.idle_since.clear()
        if event_ms is None:
            return
        limited_ms = min(event_ms, broker_ms, self._clock.now_ms())
        if progress.highest_ms is None or limited_ms > progress.highest_ms:
            progress.highest_ms = limited_ms

    def due(self, states: Mapping[Partition, PartitionState]) -> list[Watermark]:
        """Return the watermarks to send now, one for each partition that has one; [] until `interval_ms` has passed.

        Call it for every transaction and when idle, at least every `interval_ms`, after the batch was observed.
        `states` are the assigned partitions, others are discarded; `position` in them must be the next offset after the
        records counted in this or an earlier transaction, not after records that were polled but still wait.

        Each message must be sent to every partition of `window-counts`, after the counts of the same transaction.
        """
        now, now_ms = self._clock.monotonic(), self._clock.now_ms()
        for revoked in self._progress.keys() - states.keys():
            del self._progress[revoked]
        # The poll that `states` is from began after the last call.
        idle_before = -math.inf if self._called_at is None else self._called_at - self._idle_after_s
        self._called_at = now
        for partition, state in states.items():
            progress = self._progress.setdefault(partition, _Progress())
            self._track_idle(progress, state, now, now_ms, idle_before)
        if self._sent_at is not None and now - self._sent_at < self._interval_s:
            return []
        messages = [
            Watermark(
                topic=topic,
                partition=number,
                watermark_ms=watermark_ms,
                offset=state.position,
                lag=state.lag,
                at_ms=now_ms,
            )
            for (topic, number), state in sorted(states.items())
            if (watermark_ms := self._advance(self._progress[topic, number], idle_before)) is not None
        ]
        if messages:
            self._sent_at = now
        return messages

    def commit(self) -> None:
        """Keep what was observed and sent since the last transaction, because this one was committed."""
        self._committed = {
            partition: (progress.highest_ms, progress.watermark_ms) for partition, progress in self._progress.items()
        }
        self._committed_sent_at = self._sent_at

    def rollback(self) -> None:
        """Restore the watermarks of the last committed transaction, because this one failed."""
        for partition, progress in self._progress.items():
            progress.highest_ms, progress.watermark_ms = self._committed.get(partition, (None, None))
            progress.idle_since.clear()
        self._sent_at = self._committed_sent_at

    def _track_idle(
        self, progress: _Progress, state: PartitionState, now: float, now_ms: int, idle_before: float
    ) -> None:
        if state.lag > 0:
            progress.idle_since.clear()
            return
        samples = progress.idle_since
        if not samples or now > samples[-1][0]:
            samples.append((now, now_ms))
        while len(samples) > 1 and samples[1][0] <= idle_before:
            samples.popleft()

    def _advance(self, progress: _Progress, idle_before: float) -> int | None:
        candidates = [progress.watermark_ms] if progress.watermark_ms is not None else []
        if progress.highest_ms is not None:
            candidates.append(progress.highest_ms - self._bound_ms)
        if progress.idle_since and progress.idle_since[0][0] <= idle_before:
            candidates.append(progress.idle_since[0][1] - self._bound_ms)
        if candidates:
            progress.watermark_ms = max(candidates)
        return progress.watermark_ms
