"""Counts the records of a batch per raw partition, time window and key, for `feedback.window-counts`. Pure.

A key is a combination of values such as `channel=complaint|intent=delivery`.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from triage.pipeline.window_counts.updates import CountedUpdates, Increment
from triage.schemas.counts import WindowCount, dimension_key
from triage.types import Position

OffsetRanges = Mapping[tuple[str, int], tuple[int, int]]
# Window start, index of the dimension set, values; none of them is missing.
_Group = tuple[int, int, tuple[str | None, ...]]


class CountedRecord(msgspec.Struct, frozen=True):
    """The part of an enriched record that window counts need.

    `dimensions` maps names of fields (such as `intent`) to values; a missing value is None or absent. `negative` is
    True for negative sentiment. `identity` is the document `_id` if the source sends a record again with every change,
    else None.
    """

    position: Position
    event_ms: int
    dimensions: Mapping[str, str | None]
    negative: bool
    identity: str | None = None


def count_windows(
    records: Iterable[CountedRecord],
    window_ms: int,
    dimension_sets: Sequence[Sequence[str]],
    offsets: OffsetRanges | None = None,
    updates: CountedUpdates | None = None,
) -> list[WindowCount]:
    """Count the records per raw topic-partition, time window and key, and return the counts in that order.

    `window_ms` is the step; windows are aligned to the epoch. `dimension_sets` are the field combinations to count by,
    [] for all records; a record without a value for one of the fields is only left out of that combination.

    `offsets` are the first and last offset of the whole batch per (topic, partition), refused records included
    (`Batch.offset_ranges()`); by default they are taken from `records`. Every count of a partition has that whole
    range. So the ranges of one partition's batches are disjoint and increase for every key, even for a key that a batch
    lacks: this makes merging idempotent.

    For records with an identity, `updates` determines how much each version adds; without it each version counts as
    one.
    """
    # Keys are built once per group of records, not per record.
    sums: dict[tuple[str, int], dict[_Group, list[int]]] = {}
    seen: dict[tuple[str, int], tuple[int, int]] = {}
    for record in records:
        topic, partition, offset = record.position
        first, last = seen.get((topic, partition), (offset, offset))
        seen[topic, partition] = (min(first, offset), max(last, offset))
        groups = sums.setdefault((topic, partition), {})
        start_ms = window_start(record.event_ms, window_ms)
        value_of = record.dimensions.get
        for number, names in enumerate(dimension_sets):
            values = tuple(map(value_of, names))
            if not all(values):
                continue
            group = (start_ms, number, values)
            increment = Increment(int(record.negative), 1)
            if record.identity is not None and updates is not None:
                increment = updates.count(record.identity, group, negative=record.negative)
                if not any(increment):
                    continue
            total = groups.get(group)
            if total is None:
                total = groups[group] = [0, 0]
            total[0] += increment.negative
            total[1] += increment.total
    ranges: OffsetRanges = {**seen, **(offsets or {})}
    return [
        WindowCount(
            window_start_ms=start_ms,
            window_ms=window_ms,
            key=key,
            dimensions=dimensions,
            negative=negative,
            total=total,
            topic=topic,
            partition=partition,
            first_offset=ranges[topic, partition][0],
            last_offset=ranges[topic, partition][1],
        )
        for (topic, partition), groups in sorted(sums.items())
        for start_ms, key, dimensions, (negative, total) in _keyed(groups, dimension_sets)
    ]


def _keyed(
    groups: Mapping[_Group, list[int]], dimension_sets: Sequence[Sequence[str]]
) -> list[tuple[int, str, dict[str, str], list[int]]]:
    """Return window start (ms), key, dimensions and [negative, total] of each group, ordered by start and key."""
    keyed = []
    for (start_ms, number, values), sums in groups.items():
        dimensions = {name: value or "" for name, value in zip(dimension_sets[number], values, strict=True)}
        keyed.append((start_ms, dimension_key(dimensions), dimensions, sums))
    return sorted(keyed, key=lambda group: group[:2])


def window_start(event_ms: int, window_ms: int) -> int:
    """Return the start of the window, aligned to the epoch, that contains an event time; all values are in ms."""
    return event_ms // window_ms * window_ms
