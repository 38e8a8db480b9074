"""Counts the records of a batch per raw partition, time window and key, for `feedback.window-counts`. Pure.

A key is a combination of values such as `channel=complaint|intent=delivery`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

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
    sets = _DimensionSets(dimension_sets)
    alike: dict[tuple[str, int, int, bool, tuple[str | None, ...]], int] = {}
    for record in records:
        topic, partition, offset = record.position
        if offsets is None or (topic, partition) not in offsets:
            first, last = seen.get((topic, partition), (offset, offset))
            seen[topic, partition] = (min(first, offset), max(last, offset))
        start_ms, values = window_start(record.event_ms, window_ms), sets.values_of(record)
        if record.identity is None or updates is None:
            same = (topic, partition, start_ms, record.negative, values)
            alike[same] = alike.get(same, 0) + 1
            continue
        groups = sums.setdefault((topic, partition), {})
        for group in sets.groups(start_ms, values):
            _add(groups, group, updates.count(record.identity, group, negative=record.negative))
    for (topic, partition, start_ms, negative, values), count in alike.items():
        groups = sums.setdefault((topic, partition), {})
        negatives = count * negative
        for group in sets.groups(start_ms, values):
            total = groups.setdefault(group, [0, 0])
            total[0] += negatives
            total[1] += count
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


class _DimensionSets:
    """The combinations of fields to count by, and the values that a record has for all of their fields together."""

    def __init__(self, sets: Sequence[Sequence[str]]) -> None:
        self._names = sorted({name for names in sets for name in names})
        self._takers = [_taker([self._names.index(name) for name in names]) for names in sets]

    def values_of(self, record: CountedRecord) -> tuple[str | None, ...]:
        return tuple(map(record.dimensions.get, self._names))

    def groups(self, start_ms: int, values: tuple[str | None, ...]) -> Iterator[_Group]:
        """Yield the group of each combination; none for a combination with a field that has no value."""
        for number, take in enumerate(self._takers):
            own = take(values)
            if all(own):
                yield start_ms, number, own


def _taker(places: Sequence[int]) -> Callable[[tuple[str | None, ...]], tuple[str | None, ...]]:
    """Function that returns the values at these places as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    first = places[0] if places else 0
    return itemgetter(slice(first, first + len(places)))


def _add(groups: dict[_Group, list[int]], group: _Group, increment: Increment) -> None:
    if not any(increment):
        return
    total = groups.setdefault(group, [0, 0])
    total[0] += increment.negative
    total[1] += increment.total


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
