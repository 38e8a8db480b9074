"""Packs the window counts for one partition of `window-counts` into common messages. Pure."""

from collections.abc import Iterable, Iterator

from triage.schemas.counts import KeyCount, WindowCount, WindowCounts, group_of
from triage.topics.partitioning import partitions_of

# Of keys and values in UTF-8. Even if JSON must escape every byte of them, the message is below 1 MiB.
MAX_BYTES = 128 * 1024
_OVERHEAD_BYTES = 100


def pack_counts(counts: Iterable[WindowCount], group_by: str, partitions: int) -> Iterator[tuple[int, WindowCounts]]:
    """Pack counts into messages; yields (partition of `window-counts`, message).

    The value of the field `group_by` determines the partition, one of `partitions`. Each message has counts of one
    raw partition and is below 1 MiB. With one message per count there would be more messages than records, and
    receiving them would dominate the alerter's time.
    """
    packed: dict[tuple[str, int, int], WindowCounts] = {}
    left: dict[tuple[str, int, int], int] = {}
    grouped = [(group_of(count.dimensions, group_by), count) for count in counts]
    partition_of = partitions_of_groups((group for group, _ in grouped), partitions)
    for group, count in grouped:
        partition = partition_of[group]
        to = (count.topic, count.partition, partition)
        size = 2 * len(count.key.encode()) + _OVERHEAD_BYTES
        if to in packed and left[to] < size:
            yield partition, packed.pop(to)
        if to not in packed:
            packed[to] = WindowCounts(
                window_ms=count.window_ms,
                topic=count.topic,
                partition=count.partition,
                first_offset=count.first_offset,
                last_offset=count.last_offset,
                counts=[],
            )
            left[to] = MAX_BYTES
        left[to] -= size
        packed[to].counts.append(
            KeyCount(count.window_start_ms, count.key, count.dimensions, count.negative, count.total)
        )
    for (_, _, partition), message in packed.items():
        yield partition, message


def partitions_of_groups(groups: Iterable[str], partitions: int) -> dict[str, int]:
    """Return the partition of `window-counts` for each group (a value of `alerting.group_by`).

    It is the partition that Kafka's default partitioner assigns to the group as key.
    """
    unique = list(dict.fromkeys(groups))
    return dict(zip(unique, partitions_of([group.encode() for group in unique], partitions), strict=True))
