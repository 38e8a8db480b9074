"""Windows of one partition of `window-counts`: idempotent merging, the minimum watermark, closing. Pure.

Every partition of the topic is read at its own pace, so each has windows and watermarks of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from triage.pipeline.batch import Partition
from triage.schemas.counts import Watermark, WindowCount


class Merge(StrEnum):
    """What became of a window count."""

    MERGED = "merged"
    SEEN = "seen"  # delivered again: its offsets are counted already
    CORRECTED = "corrected"  # its window was closed but is still summed by rules
    LATE = "late"  # its window is closed and gone
    OTHER_STEP = "other_step"  # counted by a worker with another alerting.window_s
    TOO_MANY_KEYS = "too_many_keys"


class WindowSum(msgspec.Struct):
    """Negatives and all records of a key in one step, and the last offset merged per raw partition."""

    dimensions: dict[str, str]
    negative: int = 0
    total: int = 0
    offsets: dict[str, int] = {}


class Mark(msgspec.Struct):
    """Watermark of a raw partition as last heard."""

    watermark_ms: int
    offset: int


class Progress(msgspec.Struct):
    """What must survive a restart besides the sums. Windows that end at or before `closed_ms` are closed."""

    closed_ms: int | None = None
    marks: dict[str, Mark] = {}


@dataclass(frozen=True, slots=True)
class Sum:
    """Negatives and all records of a key over a rule's window."""

    dimensions: Mapping[str, str]
    negative: int
    total: int


class PartitionWindows:
    """Sums per step and key, closed in order as the minimum watermark passes.

    `expected` are the raw partitions that will report: until each has, or `max_hold_s` have passed since the start,
    nothing closes. A partition that makes no progress for `max_hold_s` real seconds is left out of the minimum until
    it does. `retain_ms` is the longest window of a rule: closed steps are kept as long as a rule sums them.
    """

    def __init__(
        self,
        *,
        step_ms: int,
        lateness_ms: int,
        retain_ms: int,
        max_hold_s: float,
        expected: Iterable[Partition],
        started_s: float,
        max_keys: int,
    ) -> None:
        self.progress = Progress()
        self.sums: dict[int, dict[str, WindowSum]] = {}
        self.left_out: frozenset[str] = frozenset()
        self._step_ms = step_ms
        self._lateness_ms = lateness_ms
        self._retain_ms = max(retain_ms, step_ms)
        self._max_hold_s = max_hold_s
        self._max_keys = max_keys
        self._heard_s = {partition_name(*partition): started_s for partition in expected}
        self._low_ms: int | None = None

    def restore(self, progress: Progress, sums: dict[int, dict[str, WindowSum]], now_s: float) -> None:
        """Go on from stored state; the hold of each partition starts anew."""
        self.progress, self.sums = progress, sums
        self._heard_s |= dict.fromkeys(progress.marks, now_s)

    def merge(self, count: WindowCount) -> Merge:
        """Add a count unless its offsets were added before."""
        if count.window_ms != self._step_ms:
            return Merge.OTHER_STEP
        closed_ms = self.progress.closed_ms
        start_ms = count.window_start_ms
        late = closed_ms is not None and start_ms < closed_ms
        if closed_ms is not None and start_ms < closed_ms - self._retain_ms + self._step_ms:
            return Merge.LATE
        window = self.sums.get(start_ms, {})
        found = window.get(count.key)
        if found is None:
            if len(window) >= self._max_keys:
                return Merge.TOO_MANY_KEYS
            found = self.sums.setdefault(start_ms, {})[count.key] = WindowSum(count.dimensions)
        source = partition_name(count.topic, count.partition)
        if count.last_offset <= found.offsets.get(source, -1):
            return Merge.SEEN
        found.negative += count.negative
        found.total += count.total
        found.offsets[source] = count.last_offset
        return Merge.CORRECTED if late else Merge.MERGED

    def observe(self, mark: Watermark, now_s: float) -> None:
        """Note a watermark; one that is older than what is known changes nothing."""
        name = partition_name(mark.topic, mark.partition)
        known = self.progress.marks.get(name)
        if known is None:
            self.progress.marks[name] = Mark(mark.watermark_ms, mark.offset)
        elif mark.watermark_ms > known.watermark_ms or mark.offset > known.offset:
            known.watermark_ms = max(known.watermark_ms, mark.watermark_ms)
            known.offset = max(known.offset, mark.offset)
        else:
            return
        self._heard_s[name] = now_s

    def watermark(self, now_ms: int, now_s: float) -> int | None:
        """Minimum over the raw partitions that count, never after the clock, never going back; None: not known yet."""
        self.left_out = frozenset(name for name, heard in self._heard_s.items() if now_s - heard > self._max_hold_s)
        marks = self.progress.marks
        counting = self._heard_s.keys() - self.left_out
        if counting and all(name in marks for name in counting):
            low_ms = min(now_ms, *(marks[name].watermark_ms for name in counting))
            self._low_ms = low_ms if self._low_ms is None else max(self._low_ms, low_ms)
        return self._low_ms

    def next_to_close(self, watermark_ms: int, *, busy: bool) -> int | None:
        """Start of the next step to close, or None. Stretches without data are skipped unless an episode is open."""
        open_from = (watermark_ms - self._lateness_ms) // self._step_ms * self._step_ms
        closed_ms = self.progress.closed_ms
        if closed_ms is not None and open_from <= closed_ms:
            return None
        if closed_ms is None or (not busy and not any(start < closed_ms + self._step_ms for start in self.sums)):
            first = min(self.sums, default=open_from)
            closed_ms = min(first if closed_ms is None else max(first, closed_ms), open_from)
            self.progress.closed_ms = closed_ms
        return closed_ms if closed_ms < open_from else None

    def summed(self, start_ms: int, window_ms: int) -> dict[str, Sum]:
        """Sums per key over the `window_ms` that end with the step at `start_ms`."""
        totals: dict[str, tuple[dict[str, str], int, int]] = {}
        for step in range(start_ms + self._step_ms - window_ms, start_ms + self._step_ms, self._step_ms):
            for key, found in self.sums.get(step, {}).items():
                _, negative, total = totals.get(key, (found.dimensions, 0, 0))
                totals[key] = (found.dimensions, negative + found.negative, total + found.total)
        return {key: Sum(*values) for key, values in totals.items()}

    def close(self, start_ms: int) -> list[tuple[int, str]]:
        """Mark the step as closed; returns (start, key) of the steps that no rule sums any more."""
        self.progress.closed_ms = start_ms + self._step_ms
        oldest = self.progress.closed_ms - self._retain_ms + self._step_ms
        gone = [start for start in self.sums if start < oldest]
        return [(start, key) for start in gone for key in self.sums.pop(start)]


def partition_name(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"
