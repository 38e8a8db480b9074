"""Window counts as messages: what goes to one partition of `window-counts` travels together. Pure."""

from collections.abc import Iterable, Iterator

from triage.schemas.counts import KeyCount, WindowCount, WindowCounts, group_of
from triage.topics.partitioning import partitions_of

# Of keys and values in UTF-8. Even if JSON must escape every byte of them, brokers take the message.
MOST_BYTES = 128 * 1024
_BYTES_BESIDE = 100


def pack_counts(counts: Iterable[WindowCount], group_by: str, partitions: int) -> Iterator[tuple[int, WindowCounts]]:
    """Messages with their partition of `window-counts`, each of one raw partition and of bounded size.

    A message for each count would be more than one for each record: the alerter would spend its time on receiving.
    """
    packed: dict[tuple[str, int, int], WindowCounts] = {}
    left: dict[tuple[str, int, int], int] = {}
    grouped = [(group_of(count.dimensions, group_by), count) for count in counts]
    places = places_of((group for group, _ in grouped), partitions)
    for group, count in grouped:
        partition = places[group]
        to = (count.topic, count.partition, partition)
        size = 2 * len(count.key.encode()) + _BYTES_BESIDE
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
            left[to] = MOST_BYTES
        left[to] -= size
        packed[to].counts.append(
            KeyCount(count.window_start_ms, count.key, count.dimensions, count.negative, count.total)
        )
    for (_, _, partition), message in packed.items():
        yield partition, message


def places_of(groups: Iterable[str], partitions: int) -> dict[str, int]:
    """The partition of `window-counts` of each group: where Kafka's default partitioner puts a message of this key."""
    unique = list(dict.fromkeys(groups))
    return dict(zip(unique, partitions_of([group.encode() for group in unique], partitions), strict=True))
