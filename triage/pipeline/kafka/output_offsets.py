"""What `window-counts`, the raw topics and Kafka's coordinator say of how far the workers' group has come."""

from collections.abc import Iterable, Mapping
from functools import partial

import msgspec
from kafka import TopicPartition

from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.pipeline.batch import Partition
from triage.pipeline.kafka.offset_check import Kafka, ProcessedOffset
from triage.schemas.message import MessageDecoder
from triage.topics import admin_client
from triage.topics.group_offsets import committed_offsets
from triage.topics.scan import TopicScan
from triage.types import Position

log = get_logger("triage.offsets")

_CLIENT = "triage-offset-check"
_TAIL = 100
# The broker stamps raw records, the worker its counts.
_CLOCKS_DIFFER_MS = 60_000


class _Counts(msgspec.Struct, tag="counts"):
    topic: str
    partition: int
    last_offset: int


class _Mark(msgspec.Struct, tag="watermark"):
    pass


_DECODER: MessageDecoder[_Counts | _Mark] = MessageDecoder(_Counts | _Mark)


def kafka_of(kafka: KafkaSettings, group: str) -> Kafka:
    """What OffsetCheck asks, of the brokers of the settings."""
    return Kafka(partial(counted, kafka), partial(group_offsets, kafka, group), partial(still_hold, kafka))


def counted(kafka: KafkaSettings) -> dict[Partition, ProcessedOffset]:
    """How far each raw partition was counted that the ends of `window-counts` speak of. Raises what TopicScan does."""
    found: dict[Partition, ProcessedOffset] = {}
    with TopicScan(kafka, _CLIENT) as scan:
        ranges = scan.ranges(scan.partitions([kafka.topic("window-counts")]))
        tails = {each: (max(first, end - _TAIL), end) for each, (first, end) in ranges.items()}
        for records in scan.read(tails):
            for record in records:
                try:
                    message = _DECODER.decode(record.value)
                except NotUnderstood as error:
                    log.warning("window_count_not_understood", offset=record.offset, error=str(error))
                    continue
                if isinstance(message, _Counts):
                    key = (message.topic, message.partition)
                    offset = message.last_offset + 1
                    if key not in found or found[key].offset < offset:
                        found[key] = ProcessedOffset(offset, record.timestamp)
    return found


def group_offsets(kafka: KafkaSettings, group: str, partitions: Iterable[Partition]) -> dict[Partition, int | None]:
    """The committed offset of each partition; None without one. Raises what `admin_client` does."""
    with admin_client(kafka) as admin:
        found = committed_offsets(admin, group, [TopicPartition(*each) for each in partitions])
    return {(each.topic, each.partition): offset for each, offset in found.items()}


def still_hold(kafka: KafkaSettings, reached: Mapping[Partition, ProcessedOffset]) -> set[Partition]:
    """Partitions whose last record reached is there and older than that, or no longer kept. Raises as TopicScan."""
    with TopicScan(kafka, _CLIENT) as scan:
        known = set(scan.partitions({topic for topic, _ in reached}))
        ranges = scan.ranges(where for each in reached if (where := TopicPartition(*each)) in known)
        lasts = {each: Position(*each, reached[each].offset - 1) for each in reached}
        gone = {
            (where.topic, where.partition)
            for where, (first, _) in ranges.items()
            if lasts[where.topic, where.partition].offset < first
        }
        there = scan.fetch(lasts[each] for each in reached if TopicPartition(*each) in ranges and each not in gone)
    return gone | {
        each
        for each, last in lasts.items()
        if last in there and there[last].timestamp <= reached[each].at_ms + _CLOCKS_DIFFER_MS
    }
