"""Watermarks of raw partitions: up to which event time the worker that owns a partition has counted it."""

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
    highest_ms: int | None = None  # event time, clamped
    watermark_ms: int | None = None  # as last sent: never goes back
    # (monotonic seconds, clock in ms) while caught up without a break, oldest first.
    idle_since: deque[tuple[float, int]] = field(default_factory=deque)


class PartitionWatermarks:
    """Watermarks of the partitions that one worker owns.

    An active partition stands at its highest event time less `out_of_orderness_ms`; event time is clamped to the
    broker's and to the clock, so that one record from the future cannot close every window. A partition that has been
    caught up for `idle_after_s` real seconds follows the clock as it stood that long before the last poll began, less
    the same bound: a record sent before then had that much real time to be polled, however long a batch takes and
    whatever the speed of a simulated clock.
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
        self._settled: dict[Partition, tuple[int | None, int | None]] = {}
        self._settled_at: float | None = None
        self._called_at: float | None = None

    def observe(self, position: Position, event_ms: int | None, broker_ms: int) -> None:
        """Note a record that is part of the next transaction; `event_ms` is None for a refused record.

        `settle` or `revert` says how the transaction ended.
        """
        progress = self._progress.setdefault((position.topic, position.partition), _Progress())
        progress.idle_since.clear()
        if event_ms is None:
            return
        clamped = min(event_ms, broker_ms, self._clock.now_ms())
        if progress.highest_ms is None or clamped > progress.highest_ms:
            progress.highest_ms = clamped

    def due(self, states: Mapping[Partition, PartitionState]) -> list[Watermark]:
        """The watermarks to send now, one for each owned partition that has one; [] until `interval_ms` has passed.

        Call it for every transaction and when idle, at least every `interval_ms`, after the batch was observed.
        `states` are the partitions owned; `position` must be the next offset after the records counted in this or an
        earlier transaction, not of records that were polled but wait. Partitions not in it are forgotten.

        Each message belongs on every partition of `window-counts`, behind the counts of the same transaction.
        """
        now, now_ms = self._clock.monotonic(), self._clock.now_ms()
        for gone in self._progress.keys() - states.keys():
            del self._progress[gone]
        # The poll behind `states` began after the last call.
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
        """What was observed and due is committed."""
        self._settled = {
            partition: (progress.highest_ms, progress.watermark_ms) for partition, progress in self._progress.items()
        }
        self._settled_at = self._sent_at

    def rollback(self) -> None:
        """It is not: whoever tries again observes again, and who gives up must not have passed those records."""
        for partition, progress in self._progress.items():
            progress.highest_ms, progress.watermark_ms = self._settled.get(partition, (None, None))
            progress.idle_since.clear()
        self._sent_at = self._settled_at

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
