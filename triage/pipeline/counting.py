"""Counts of a batch per raw partition, window and key: what `feedback.window-counts` carries. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triage.schemas.counts import WindowCount, dimension_key
from triage.types import Position

OffsetRanges = Mapping[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Counted:
    """What counting needs of one enriched record; a dimension value that is missing is None or absent."""

    position: Position
    event_ms: int
    dimensions: Mapping[str, str | None]
    negative: bool


def count_windows(
    records: Iterable[Counted],
    window_ms: int,
    dimension_sets: Sequence[Sequence[str]],
    offsets: OffsetRanges | None = None,
) -> list[WindowCount]:
    """One message per raw topic-partition, window and key, in that order.

    `window_ms` is the step; windows are aligned to the epoch. `dimension_sets` are the field combinations counted,
    [] being everything; a record without a value of one of the fields is left out of that combination alone.

    `offsets` are first and last offset of the whole batch per (topic, partition), refused records included
    (`Batch.offsets()`); without it they are taken from `records`. Every message of a partition carries that whole
    range, so that the ranges of one partition's batches are disjoint and increase for every key, also for a key that
    a batch lacks: this is what makes merging idempotent.
    """
    sums: dict[tuple[str, int], dict[tuple[int, str], _Sum]] = {}
    seen: dict[tuple[str, int], tuple[int, int]] = {}
    for record in records:
        topic, partition, offset = record.position
        first, last = seen.get((topic, partition), (offset, offset))
        seen[topic, partition] = (min(first, offset), max(last, offset))
        windows = sums.setdefault((topic, partition), {})
        start_ms = window_start(record.event_ms, window_ms)
        for names in dimension_sets:
            values = _values(record.dimensions, names)
            if values is None:
                continue
            key = dimension_key(values)
            total = windows.get((start_ms, key))
            if total is None:
                total = windows[start_ms, key] = _Sum(values)
            total.total += 1
            total.negative += record.negative
    ranges: OffsetRanges = {**seen, **(offsets or {})}
    return [
        WindowCount(
            window_start_ms=start_ms,
            window_ms=window_ms,
            key=key,
            dimensions=found.dimensions,
            negative=found.negative,
            total=found.total,
            topic=topic,
            partition=partition,
            first_offset=ranges[topic, partition][0],
            last_offset=ranges[topic, partition][1],
        )
        for (topic, partition), windows in sorted(sums.items())
        for (start_ms, key), found in sorted(windows.items(), key=lambda item: item[0])
    ]


def window_start(event_ms: int, window_ms: int) -> int:
    """Start of the window, aligned to the epoch, that holds an event time; both in ms."""
    return event_ms // window_ms * window_ms


@dataclass(slots=True)
class _Sum:
    dimensions: dict[str, str]
    negative: int = 0
    total: int = 0


def _values(dimensions: Mapping[str, str | None], names: Sequence[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for name in names:
        value = dimensions.get(name)
        if not value:
            return None
        values[name] = value
    return values
