"""Windows of one partition of `window-counts`: idempotent merging, the minimum watermark, closing. Pure.

*Who calls it.* The engine, on the event loop's thread; nothing here blocks or waits. Times are passed in: event time
and the wall clock in ms, real time in monotonic seconds.

*Idempotence.* Kafka delivers a count again after a restart or a rebalance. Each sum holds the last offset of each raw
partition that it contains, and a count up to that offset is dropped. This relies on two facts: workers publish the
counts of a raw partition in the order of its offsets, and all counts of one key go to one partition of this topic.

*Watermarks.* A worker reports for each raw partition up to which event time it has counted. The minimum over all raw
partitions is the partition's watermark; a step closes once its end is `lateness_ms` before it. A raw partition that
makes no progress for `max_hold_s` is left out of the minimum, so that a stopped worker does not stop all alerts. Each
partition of the topic is read at its own pace and therefore has watermarks of its own.

One that makes progress but lags holds back the others only so far: once it has been more than `max_behind_ms` behind
the one that is furthest ahead for `max_hold_s`, and will not have caught up soon, counts of others that wait for it are
evaluated without it, and its own correct them later. Where nothing waits for it, as when all lag, it is waited for.

*Who owns what, and what is persisted.* `progress` and `sums` are the state that survives a restart. The engine stores
each sum after every merge, and `progress` whenever steps were closed; what it stored, it gives back to `restore`. How
long a raw partition has been silent is not stored: the wait begins again after a restart.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from triage.pipeline.batch import Partition
from triage.schemas.counts import OTHER, KeyCount, Watermark, WindowCounts, dimension_key

_PACE_S = 60.0
_PATIENCE = 10


class MergeOutcome(StrEnum):
    """Result of adding a worker's count of a window to the sum over all workers; also a label of a metric."""

    MERGED = "merged"
    SEEN = "seen"  # delivered again: its offsets are in the sum already
    CORRECTED = "corrected"  # its window was closed, but rules still sum it
    LATE = "late"  # its window was closed and its counts are not kept any more
    OTHER_STEP = "other_step"  # counted by a worker with another alerting.window_s
    OTHERS = "others"  # beyond alerting.max_keys: counted together with other keys


# There are many of them, and they refer to nothing that refers to them: the garbage collector may skip them.
class WindowSum(msgspec.Struct, omit_defaults=True, gc=False):
    """Counts of one key in one step, summed over all workers: negative records and all records.

    `offsets` has the last merged offset of each raw partition. `late_negative` and `late_total` are the part that
    arrived after the step was closed. If many keys share this sum, `merged` has checksums of the keys already merged at
    the last offset of each partition.
    """

    dimensions: dict[str, str]
    negative: int = 0
    total: int = 0
    offsets: dict[str, int] = {}
    late_negative: int = 0
    late_total: int = 0
    merged: dict[str, list[int]] = {}


class RawWatermark(msgspec.Struct):
    """The latest watermark of a raw partition (event time in ms), and the next offset to consume when it was sent."""

    watermark_ms: int
    offset: int


class Progress(msgspec.Struct):
    """Progress of a partition in closing steps; stored together with the sums.

    Steps that end at or before `closed_ms` are closed; None before the first. `marks` has the latest watermark of each
    raw partition.
    """

    closed_ms: int | None = None
    marks: dict[str, RawWatermark] = {}


class PartitionWindows:
    """Adds up counts per step and key, and closes steps in order once the minimum watermark has passed them.

    `expected` are the raw partitions that will report: no step closes until each of them has reported, or `max_hold_s`
    have passed since `started_s`. Closed steps are kept for `retain_ms`, to compute windows and restore baselines. A
    step has at most `max_keys` keys, first come first served; further keys are counted together.
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
        # Those that make progress, but are waited for no longer.
        self.lagging: frozenset[str] = frozenset()
        self.last_merged: tuple[int, str, WindowSum] = (0, "", WindowSum({}))
        self.lateness_ms = lateness_ms
        self.retain_ms = max(retain_ms, step_ms)
        self._step_ms = step_ms
        self._max_hold_s = max_hold_s
        self._max_keys = max_keys
        self._progress_at_s = {partition_name(*partition): started_s for partition in expected}
        self._expected = frozenset(self._progress_at_s)
        self._watermark_ms: int | None = None
        self._max_behind_ms = max(2 * step_ms, round(max_hold_s * 1000))
        # By name: since when (monotonic seconds) a partition is too far behind, and how far it was then.
        self._behind_since: dict[str, tuple[float, int]] = {}
        # (monotonic seconds, clock in ms, watermark) of the last minute, oldest first; and where it began.
        self._pace: deque[tuple[float, int, int]] = deque()
        self._began_ms: int | None = None

    def restore(self, progress: Progress, sums: dict[int, dict[str, WindowSum]], now_s: float) -> frozenset[str]:
        """Continue from stored state; the wait of `max_hold_s` for each raw partition starts again.

        Watermarks of partitions that are no longer expected, such as those of a removed channel, are removed until they
        report again. Returns the names of these partitions.
        """
        gone = frozenset(progress.marks) - self._expected if self._expected else frozenset()
        for name in gone:
            del progress.marks[name]
        self.progress, self.sums = progress, sums
        self._progress_at_s |= dict.fromkeys(progress.marks, now_s)
        if progress.closed_ms is not None:
            self._began_ms = progress.closed_ms + self.lateness_ms
        return gone

    def merge(self, count: KeyCount, batch: WindowCounts) -> MergeOutcome:
        """Add a worker's count to its step, unless the raw records that it counts were added before, by their offsets.

        `batch` is the message with the count: it has the range of these offsets and the length of the window. Sets
        `last_merged`: (start of the step, key, the key's sum in it).
        """
        if batch.window_ms != self._step_ms:
            return MergeOutcome.OTHER_STEP
        closed_ms = self.progress.closed_ms
        start_ms = count.window_start_ms
        late = closed_ms is not None and start_ms < closed_ms
        if closed_ms is not None and start_ms < closed_ms - self.retain_ms:
            return MergeOutcome.LATE
        window = self.sums.get(start_ms)
        if window is None:
            window = self.sums[start_ms] = {}
        key = count.key
        found = window.get(key)
        shared = found is None and len(window) >= self._max_keys
        if found is None:
            dimensions = dict.fromkeys(count.dimensions, OTHER) if shared else count.dimensions
            key = dimension_key(dimensions) if shared else key
            found = window.get(key)
            if found is None:
                found = window[key] = WindowSum(dimensions)
        source, last_offset = partition_name(batch.topic, batch.partition), batch.last_offset
        known = last_offset <= found.offsets.get(source, -1)
        if _merged_before(found, source, count.key, last_offset) if shared else known:
            return MergeOutcome.SEEN
        found.offsets[source] = last_offset
        found.negative += count.negative
        found.total += count.total
        if late:
            found.late_negative += count.negative
            found.late_total += count.total
        self.last_merged = (start_ms, key, found)
        if late:
            return MergeOutcome.CORRECTED
        return MergeOutcome.OTHERS if shared else MergeOutcome.MERGED

    def observe(self, mark: Watermark, now_s: float) -> None:
        """Record a raw partition's watermark; ignored if it is not newer than the known one."""
        name = partition_name(mark.topic, mark.partition)
        known = self.progress.marks.get(name)
        if known is None:
            self.progress.marks[name] = RawWatermark(mark.watermark_ms, mark.offset)
        elif mark.watermark_ms > known.watermark_ms or mark.offset > known.offset:
            known.watermark_ms = max(known.watermark_ms, mark.watermark_ms)
            known.offset = max(known.offset, mark.offset)
        else:
            return
        self._progress_at_s[name] = now_s

    def watermark(self, now_ms: int, now_s: float) -> int | None:
        """The minimum watermark in ms over the raw partitions, those without progress for `max_hold_s` left out.

        None while it is unknown. It is unknown until each of them has reported. It never decreases and is never later
        than the clock.
        """
        self.left_out = frozenset(name for name, at_s in self._progress_at_s.items() if now_s - at_s > self._max_hold_s)
        self.lagging = frozenset()
        marks = self.progress.marks
        included = self._progress_at_s.keys() - self.left_out
        if included and all(name in marks for name in included):
            lowest_ms = self._lowest({name: marks[name].watermark_ms for name in included}, now_ms, now_s)
            self._watermark_ms = lowest_ms if self._watermark_ms is None else max(self._watermark_ms, lowest_ms)
        if self._watermark_ms is not None:
            self._note_pace(now_ms, now_s, self._watermark_ms)
        return self._watermark_ms

    def missing(self, end_ms: int) -> list[str]:
        """Names of lagging raw partitions that may still have counts of the step that ends at `end_ms`."""
        marks = self.progress.marks
        return sorted(name for name in self.lagging if marks[name].watermark_ms < end_ms + self.lateness_ms)

    def gained_ms(self, now_ms: int) -> int:
        """By how many ms the watermark advanced more than the clock did in the last minute."""
        if not self._pace or self._watermark_ms is None:
            return 0
        _, clock_ms, watermark_ms = self._pace[0]
        return self._watermark_ms - watermark_ms - max(now_ms - clock_ms, 0)

    def _lowest(self, included: Mapping[str, int], now_ms: int, now_s: float) -> int:
        """Minimum of the raw partitions' watermarks, where those that lag count as `max_behind_ms` behind the furthest.

        They count so only if counts of other partitions wait for them; otherwise it is the true minimum.
        """
        ahead_ms = min(now_ms, max(included.values()))
        bound_ms = ahead_ms - self._max_behind_ms
        behind = {name: ahead_ms - at_ms for name, at_ms in included.items() if at_ms < bound_ms}
        self._behind_since = {name: self._behind_since.get(name, (now_s, ms)) for name, ms in behind.items()}
        self.lagging = frozenset(name for name, ms in behind.items() if self._is_slow(name, ms, now_s))
        complete_ms = min(now_ms, *included.values())
        others_ms = min(bound_ms, *(at_ms for name, at_ms in included.items() if name not in self.lagging))
        return others_ms if self.lagging and self._waits(others_ms) else complete_ms

    def _is_slow(self, name: str, behind_ms: int, now_s: float) -> bool:
        """True if a partition has been too far behind for `max_hold_s` and needs ten times as long to catch up."""
        since_s, before_ms = self._behind_since[name]
        elapsed_s, gained_ms = now_s - since_s, before_ms - behind_ms
        if elapsed_s <= self._max_hold_s:
            return False
        longest_s = _PATIENCE * self._max_hold_s
        return elapsed_s > longest_s or behind_ms * elapsed_s > gained_ms * longest_s

    def _waits(self, watermark_ms: int) -> bool:
        """True if a step that this watermark closes has counts of partitions that do not lag."""
        closed_ms = self.progress.closed_ms
        end_ms = watermark_ms - self.lateness_ms - self._step_ms
        return any(
            start <= end_ms
            and (closed_ms is None or start >= closed_ms)
            and any(found.offsets.keys() - self.lagging for found in sums.values())
            for start, sums in self.sums.items()
        )

    def _note_pace(self, now_ms: int, now_s: float, watermark_ms: int) -> None:
        if not self._pace:
            began_ms = min(self.sums, default=watermark_ms) if self._began_ms is None else self._began_ms
            self._pace.append((now_s, now_ms, min(began_ms, watermark_ms)))
        if watermark_ms > self._pace[-1][2]:
            self._pace.append((now_s, now_ms, watermark_ms))
        while len(self._pace) > 1 and self._pace[1][0] <= now_s - _PACE_S:
            self._pace.popleft()

    def next_to_close(self, watermark_ms: int, *, busy: bool) -> int | None:
        """Start in ms of the next step to close; None while the watermark has not passed its end.

        Steps without counts are skipped, unless `busy` says that alerts or rules for silence need them too.
        """
        open_from = (watermark_ms - self.lateness_ms) // self._step_ms * self._step_ms
        closed_ms = self.progress.closed_ms
        if closed_ms is not None and open_from <= closed_ms:
            return None
        if closed_ms is None or (not busy and not any(start < closed_ms + self._step_ms for start in self.sums)):
            first = min(self.sums, default=open_from)
            closed_ms = min(first if closed_ms is None else max(first, closed_ms), open_from)
            self.progress.closed_ms = closed_ms
        return closed_ms if closed_ms < open_from else None

    def close(self, start_ms: int) -> list[tuple[int, str]]:
        """Mark a step as closed. Returns (start in ms, key) of the sums that are removed because of their age."""
        self.progress.closed_ms = start_ms + self._step_ms
        oldest = self.progress.closed_ms - self.retain_ms
        expired = [start for start in self.sums if start < oldest]
        return [(start, key) for start in expired for key in self.sums.pop(start)]


def partition_name(topic: str, partition: int) -> str:
    return f"{topic}/{partition}"


def _merged_before(found: WindowSum, source: str, key: str, last_offset: int) -> bool:
    """True if a count of `key` up to this offset is in a sum of many keys already; otherwise its key is noted there."""
    last = found.offsets.get(source, -1)
    before = found.merged.get(source, []) if last_offset == last else []
    checksum = zlib.crc32(key.encode())
    if last_offset < last or checksum in before:
        return True
    found.merged = {**found.merged, source: [*before, checksum]}
    return False
