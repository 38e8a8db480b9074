"""Windows of one partition of `window-counts`: idempotent merging, the minimum watermark, closing. Pure.

Every partition of the topic is read at its own pace, so each has windows and watermarks of its own.
"""

import zlib
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from triage.pipeline.batch import Partition
from triage.schemas.counts import OTHER, Watermark, WindowCount, dimension_key


class Merge(StrEnum):
    """What became of a window count."""

    MERGED = "merged"
    SEEN = "seen"  # delivered again: its offsets are counted already
    CORRECTED = "corrected"  # its window was closed but is still summed by rules
    LATE = "late"  # its window is closed and gone
    OTHER_STEP = "other_step"  # counted by a worker with another alerting.window_s
    OTHERS = "others"  # more keys than alerting.max_keys: counted together


class WindowSum(msgspec.Struct, omit_defaults=True):
    """Negatives and all records of a key in one step, and the last offset merged per raw partition.

    `late_negative` and `late_total` of them came after the step was closed. Where many keys share a sum, `merged` has
    the check sums of those that were merged at the last offset of a partition.
    """

    dimensions: dict[str, str]
    negative: int = 0
    total: int = 0
    offsets: dict[str, int] = {}
    late_negative: int = 0
    late_total: int = 0
    merged: dict[str, list[int]] = {}


class Mark(msgspec.Struct):
    """Watermark of a raw partition as last heard."""

    watermark_ms: int
    offset: int


class Progress(msgspec.Struct):
    """What must survive a restart besides the sums. Windows that end at or before `closed_ms` are closed."""

    closed_ms: int | None = None
    marks: dict[str, Mark] = {}


class PartitionWindows:
    """Sums per step and key, closed in order as the minimum watermark passes.

    `expected` are the raw partitions that will report: until each has, or `max_hold_s` have passed since the start,
    nothing closes. A partition that makes no progress for `max_hold_s` real seconds is left out of the minimum until
    it does. `retain_ms`: closed steps are kept so long, because rules sum them or baselines are rebuilt from them.
    In a step beyond `max_keys` keys, new ones are
    counted together, which ones depending on the order in which they come.
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
        self.retain_ms = max(retain_ms, step_ms)
        self._max_hold_s = max_hold_s
        self._max_keys = max_keys
        self._heard_s = {partition_name(*partition): started_s for partition in expected}
        self._low_ms: int | None = None
        self.touched: tuple[int, str] = (0, "")

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
        if closed_ms is not None and start_ms < closed_ms - self.retain_ms:
            return Merge.LATE
        window = self.sums.get(start_ms, {})
        key, dimensions = count.key, count.dimensions
        shared = key not in window and len(window) >= self._max_keys
        if shared:
            dimensions = dict.fromkeys(dimensions, OTHER)
            key = dimension_key(dimensions)
        found = window.get(key)
        if found is None:
            found = self.sums.setdefault(start_ms, {})[key] = WindowSum(dimensions)
        if not _is_new(found, partition_name(count.topic, count.partition), count, shared=shared):
            return Merge.SEEN
        found.negative += count.negative
        found.total += count.total
        if late:
            found.late_negative += count.negative
            found.late_total += count.total
        self.touched = (start_ms, key)
        return Merge.OTHERS if shared and not late else Merge.CORRECTED if late else Merge.MERGED

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

    @property
    def lateness_ms(self) -> int:
        return self._lateness_ms

    def next_to_close(self, watermark_ms: int, *, busy: bool) -> int | None:
        """Start of the next step to close, or None. Stretches without data are skipped unless `busy`."""
        open_from = (watermark_ms - self._lateness_ms) // self._step_ms * self._step_ms
        closed_ms = self.progress.closed_ms
        if closed_ms is not None and open_from <= closed_ms:
            return None
        if closed_ms is None or (not busy and not any(start < closed_ms + self._step_ms for start in self.sums)):
            first = min(self.sums, default=open_from)
            closed_ms = min(first if closed_ms is None else max(first, closed_ms), open_from)
            self.progress.closed_ms = closed_ms
        return closed_ms if closed_ms < open_from else None

    def close(self, start_ms: int) -> list[tuple[int, str]]:
        """Mark the step as closed; returns (start, key) of the steps that are not kept any more."""
        self.progress.closed_ms = start_ms + self._step_ms
        oldest = self.progress.closed_ms - self.retain_ms
        gone = [start for start in self.sums if start < oldest]
        return [(start, key) for start in gone for key in self.sums.pop(start)]


def partition_name(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"


def _is_new(found: WindowSum, source: str, count: WindowCount, *, shared: bool) -> bool:
    """Whether the count's offsets are not in the sum yet; notes them."""
    last = found.offsets.get(source, -1)
    check = zlib.crc32(count.key.encode())
    if count.last_offset < last or (
        count.last_offset == last and not (shared and check not in found.merged.get(source, []))
    ):
        return False
    if shared:
        before = found.merged.get(source, []) if count.last_offset == last else []
        found.merged = {**found.merged, source: [*before, check]}
    found.offsets[source] = count.last_offset
    return True
