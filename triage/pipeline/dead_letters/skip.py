"""Skips an unreadable Kafka record batch: commits a dead letter and the offset after the batch in one transaction."""

from contextlib import closing
from dataclasses import dataclass
from typing import Self

import msgspec

from triage import __version__
from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.errors import ConfigError, TriageError
from triage.pipeline.dead_letters.replay import UNREADABLE
from triage.pipeline.kafka.command_transactions import Transactions
from triage.schemas.deadletter import SCHEMA_VERSION, DeadLetter
from triage.topics import admin_client, ask_brokers
from triage.topics.definitions import RAW_TOPICS, TURNS
from triage.topics.group_offsets import committed_offsets
from triage.topics.kafka_types import Admin, GroupMetadata, OffsetAndMetadata, TopicPartition
from triage.topics.open_transactions import wait_for_transactions_of
from triage.topics.scan import TopicScan
from triage.topics.unreadable import UnreadableBatch
from triage.types import Position

COMMAND = "triage worker skip"
_NAME = "skip"
# The broker aborts this transaction, too, after the time-out: the rest of it is for the commit.
_SHARE_OF_TIMEOUT = 0.6


@dataclass(frozen=True)
class Readers:
    """A consumer group that an unreadable batch can block, and the topics that it reads.

    `kind` is the name of these topics in messages.
    """

    group: str
    topics: list[str]
    kind: str

    @classmethod
    def of(cls, settings: Settings, topic: str) -> Self:
        """Return the group that reads this topic: that of `turns`, else the workers."""
        turns = settings.kafka.topic(TURNS)
        return cls(turns, [turns], "the topic of turns") if topic == turns else cls.workers(settings)

    @classmethod
    def workers(cls, settings: Settings) -> Self:
        return cls(settings.worker.group, [settings.kafka.topic(name) for name in RAW_TOPICS.values()], "a raw topic")

    @classmethod
    def alerters(cls, settings: Settings) -> Self:
        kafka = settings.kafka
        return cls(kafka.topic(settings.alerting.group), [kafka.topic("window-counts")], "the topic of window counts")


def skip(
    settings: Settings, clock: Clock, position: Position, *, readers: Readers | None = None, dry_run: bool = False
) -> UnreadableBatch:
    """Skip the unreadable batch at `position` for `readers`, by default those of its topic; returns the batch.

    Blocked consumers continue after it within seconds. The batch must be the next one to process: all records before it
    are committed. In that case no member commits an offset of the partition, and this transaction needs no group
    membership. With `dry_run` nothing is written.

    Raises ConfigError for a position that is not in a topic of `readers`; TriageError if the batch can be read, was
    already skipped, or is not the next one; Unavailable, AccessDenied or DependencyError for errors of Kafka.
    """
    partition = TopicPartition(position.topic, position.partition)
    readers = readers or Readers.of(settings, position.topic)
    if position.topic not in readers.topics:
        raise ConfigError(f"{position.topic} is not {readers.kind}; these are: {', '.join(readers.topics)}")
    with TopicScan(settings.kafka, "triage-skip") as scan:
        batch = _next_batch(settings, readers.group, scan, partition, position)
    if dry_run:
        return batch
    transactions = Transactions(settings, _NAME, COMMAND)
    with closing(transactions), admin_client(settings.kafka) as admin, transactions.begin() as producer:
        letter = dead_letter(batch, clock)
        producer.send(settings.kafka.topic("dead-letter"), key=letter.key.encode(), value=msgspec.json.encode(letter))
        producer.send_offsets_to_transaction(
            {partition: OffsetAndMetadata(batch.next_offset)}, GroupMetadata(readers.group)
        )
        _require_not_passed(settings, admin, readers.group, partition, position)
    return batch


def _require_not_passed(
    settings: Settings, admin: Admin, group: str, partition: TopicPartition, position: Position
) -> None:
    """Raise TriageError if the group has committed an offset after `position` before this transaction's own.

    A member that could read the batch meanwhile has gone on, and must not be set back. Of several offsets the one that
    was sent last counts, whichever transaction ends first. So this is asked once the own one is sent: what was sent
    before it is known when the transactions that were open by then have ended, and what is sent after it wins.
    """
    fleet = settings.worker.fleet
    timeout_s = settings.worker.transaction_timeout_ms / 1000 * _SHARE_OF_TIMEOUT
    wait_for_transactions_of(admin, f"{fleet}-", timeout_s, except_for=f"{fleet}-{_NAME}")
    committed = committed_offsets(admin, group, [partition])[partition] or 0
    if committed > position.offset:
        raise TriageError(f"{position} was passed meanwhile: the group {group} continues at {committed}")


def dead_letter(batch: UnreadableBatch, clock: Clock) -> DeadLetter:
    """Build the dead letter for a complete unreadable batch; its payload describes the undecodable bytes."""
    now_ms = clock.now_ms()
    digest = f", SHA-256 {batch.sha256}" if batch.sha256 else ""
    return DeadLetter(
        stage="read",
        reason=UNREADABLE,
        message=f"offsets {batch.offset} to {batch.next_offset - 1}: {batch.reason}",
        topic=batch.topic,
        partition=batch.partition,
        offset=batch.offset,
        timestamp_ms=now_ms if batch.timestamp_ms is None else batch.timestamp_ms,
        failed_at=rfc3339(now_ms),
        attempts=1,
        pipeline=__version__,
        payload=f"<{batch.content}{digest}>",
        payload_bytes=batch.size_bytes,
        headers={},
        schema_version=SCHEMA_VERSION,
        error=batch.reason.partition(":")[0],
    )


def _committed(settings: Settings, group: str, partition: TopicPartition) -> int:
    """The next offset that the group reads, 0 if it has committed none."""
    return ask_brokers(settings.kafka, lambda admin: committed_offsets(admin, group, [partition]))[partition] or 0


def _next_batch(
    settings: Settings, group: str, scan: TopicScan, partition: TopicPartition, position: Position
) -> UnreadableBatch:
    if partition not in scan.partitions([position.topic]):
        raise ConfigError(f"no partition {position.topic}/{position.partition}")
    first, end = scan.ranges([partition])[partition]
    start = max(first, _committed(settings, group, partition))
    if start > position.offset:
        raise TriageError(f"{position} was passed: the group {group} continues at {start}")
    found: list[UnreadableBatch] = []
    records = next(scan.read({partition: (start, end)}, found.append), [])
    if not found or (records and records[0].offset < found[0].offset):
        if start < position.offset:
            raise TriageError(
                f"the records before {position} are not processed yet: they begin at {start}; wait for them"
            )
        raise TriageError(f"the batch at {position} can be read; there is nothing to skip")
    if found[0].offset != position.offset:
        raise TriageError(f"the next batch that can't be read is at {found[0].position}, not at {position}")
    return found[0]
