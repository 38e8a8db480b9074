"""What `window-counts` and Kafka's coordinator say of how far the workers' group has come."""

from collections.abc import Iterable

import msgspec
from kafka import TopicPartition

from triage.config import KafkaSettings
from triage.pipeline.batch import Partition
from triage.topics import admin_client
from triage.topics.group_offsets import committed_offsets
from triage.topics.scan import TopicScan

_TAIL = 100


class _Counts(msgspec.Struct, tag="counts"):
    topic: str
    partition: int
    last_offset: int


class _Mark(msgspec.Struct, tag="watermark"):
    pass


_DECODER = msgspec.json.Decoder(_Counts | _Mark)


def counted_offsets(kafka: KafkaSettings) -> dict[Partition, int]:
    """Behind the last record counted, of each raw partition that the ends of `window-counts` speak of.

    Its transaction committed at least this offset. Raises what TopicScan does.
    """
    found: dict[Partition, int] = {}
    with TopicScan(kafka, "triage-offset-check") as scan:
        ranges = scan.ranges(scan.partitions([kafka.topic("window-counts")]))
        tails = {each: (max(first, end - _TAIL), end) for each, (first, end) in ranges.items()}
        for records in scan.read(tails):
            for record in records:
                message = _DECODER.decode(record.value)
                if isinstance(message, _Counts):
                    key = (message.topic, message.partition)
                    found[key] = max(found.get(key, 0), message.last_offset + 1)
    return found


def group_offsets(kafka: KafkaSettings, group: str, partitions: Iterable[Partition]) -> dict[Partition, int | None]:
    """The committed offset of each partition; None without one. Raises what `admin_client` does."""
    with admin_client(kafka) as admin:
        found = committed_offsets(admin, group, [TopicPartition(*each) for each in partitions])
    return {(each.topic, each.partition): offset for each, offset in found.items()}
