"""Reads the offsets that the workers' group has processed: from `window-counts`, raw topics and the coordinator."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import msgspec

from triage.config import KafkaSettings
from triage.errors import ConfigError, NotUnderstood
from triage.logging import get_logger
from triage.pipeline.batch import Partition
from triage.pipeline.kafka.offset_check import OffsetQueries, ProcessedOffset
from triage.schemas.message import MessageDecoder
from triage.topics import admin_client
from triage.topics.group_offsets import committed_offsets
from triage.topics.kafka_types import TopicPartition
from triage.topics.scan import TopicScan, log_unreadable
from triage.types import Position

log = get_logger("triage.offsets")

_CLIENT = "triage-offset-check"
_TAIL = 100
# Raw records have the broker's timestamp, counts the worker's: their clocks may differ.
_CLOCK_SKEW_MS = 60_000


class _Counts(msgspec.Struct, tag="counts"):
    topic: str
    partition: int
    last_offset: int


class _Mark(msgspec.Struct, tag="watermark"):
    pass


_DECODER: MessageDecoder[_Counts | _Mark] = MessageDecoder(_Counts | _Mark)


def offset_queries(kafka: KafkaSettings, group: str) -> OffsetQueries:
    """Build the queries with which a CommittedOffsetVerifier asks the brokers about the consumer group `group`."""
    return OffsetQueries(
        partial(processed_offsets, kafka), partial(group_offsets, kafka, group), partial(confirmed_partitions, kafka)
    )


def processed_offsets(kafka: KafkaSettings) -> dict[Partition, ProcessedOffset]:
    """Return the offset after the last counted record of each raw partition, read from `window-counts`.

    Only the last 100 messages of each of its partitions are read; raw partitions that they do not name are left out.
    Raises ConfigError if `window-counts` is missing, AccessDenied, Unavailable.
    """
    found: dict[Partition, ProcessedOffset] = {}
    # Without a batch that can't be read, the offsets of its partitions are lower than they could be.
    with TopicScan(kafka, _CLIENT, unreadable=log_unreadable) as scan:
        ranges = scan.ranges(scan.existing_partitions("window-counts"))
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
    """Return the group's committed offset of each partition, None without one.

    Raises Unavailable, AccessDenied, ConfigError.
    """
    with admin_client(kafka) as admin:
        found = committed_offsets(admin, group, [TopicPartition(*each) for each in partitions])
    return {(each.topic, each.partition): offset for each, offset in found.items()}


def confirmed_partitions(kafka: KafkaSettings, processed: Mapping[Partition, ProcessedOffset]) -> set[Partition]:
    """Return the partitions whose last processed record is not newer than its entry, or is no longer retained.

    If a topic was deleted and created again, the record is missing or newer. Raises Unavailable, AccessDenied,
    ConfigError.
    """
    with TopicScan(kafka, _CLIENT) as scan:
        known = set(_partitions(scan, kafka, {topic for topic, _ in processed}))
        ranges = scan.ranges(where for each in processed if (where := TopicPartition(*each)) in known)
        lasts = {each: Position(*each, processed[each].offset - 1) for each in processed}
        expired = {
            (where.topic, where.partition)
            for where, (first, _) in ranges.items()
            if lasts[where.topic, where.partition].offset < first
        }
        records = scan.fetch(
            lasts[each] for each in processed if TopicPartition(*each) in ranges and each not in expired
        )
    return expired | {
        each
        for each, last in lasts.items()
        if last in records and records[last].timestamp <= processed[each].at_ms + _CLOCK_SKEW_MS
    }


def _partitions(scan: TopicScan, kafka: KafkaSettings, topics: Iterable[str]) -> Iterator[TopicPartition]:
    """The partitions of the topics (full names) that exist; one that was deleted has none."""
    for topic in topics:
        with suppress(ConfigError):
            yield from scan.existing_partitions(topic.removeprefix(f"{kafka.topic_prefix}."))
