"""The `Feed` on Kafka: a cooperative consumer and a transactional producer that commits its offsets."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import (
    CommitFailedError,
    CorruptRecordError,
    FencedInstanceIdError,
    IllegalGenerationError,
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerFencedError,
    RebalanceInProgressError,
    RecordListTooLargeError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata

from triage import tracing
from triage.clock import SystemClock
from triage.config import KafkaSettings, WorkerSettings
from triage.errors import ConfigError, Fenced, TriageError, Unavailable
from triage.logging import get_logger
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.pipeline.kafka.consumer import GroupConsumer
from triage.pipeline.kafka.fencing import MemberIdentity
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier
from triage.pipeline.kafka.producer import BoundedProducer, transactional
from triage.pipeline.kafka.stall_detector import StallWatch
from triage.pipeline.source import Message, PartitionState
from triage.topics import translate
from triage.topics.known_offsets import known_offsets
from triage.topics.partitioning import partitions_of
from triage.types import Position

log = get_logger("triage.feed")
_T = TypeVar("_T")

_PAUSE_S = 0.02
_COMMITTED_MS = 2_000
_PAUSE_MS = 200
_ENDS_MS = 5_000
_REJOIN_S = 5.0
_REJOIN_POLL_MS = 1_000

# The group moved on without us; the transaction is aborted, the consumer rejoins by polling.
_REJOIN = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)
# The producer is done for: a new one must take the transactional id. Or the consumer is: after a batch that it cannot
# read kafka-python's next poll would spin for ever.
_REBUILD = (CorruptRecordError, InvalidProducerEpochError, IllegalStateError)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# Another has our name, or so it seems to the broker.
_FENCED = (FencedInstanceIdError, ProducerFencedError)


class KafkaSource(ConsumerRebalanceListener):
    """Reads the raw topics in a consumer group and commits in transactions.

    The transactional id and the group instance id are `<fleet>-<slot>`: a restarted worker takes its own partitions
    back at once and fences what is left of its predecessor. Offsets go with the consumer's group metadata, so that
    a worker which lost its partitions to a peer cannot commit for them.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        topics: Sequence[str],
        slot: MemberIdentity,
        stalls: StallWatch | None = None,
        check: CommittedOffsetVerifier | None = None,
    ) -> None:
        self._slot = slot
        self._check = check
        self._unchecked: set[TopicPartition] = set()
        self._stalls = stalls or StallWatch(SystemClock())
        self._epochs: dict[Partition, int] = {}
        self.name = name = slot.name
        self._producer: BoundedProducer | None = None
        with _translated(self._slot):
            self._consumer = GroupConsumer(
                **kafka.client(),
                client_id=name,
                group_id=worker.group,
                group_instance_id=name,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=worker.session_timeout_ms,
                heartbeat_interval_ms=worker.heartbeat_interval_ms,
                max_poll_interval_ms=worker.max_poll_interval_ms,
                request_timeout_ms=kafka.request_timeout_ms,
                fetch_max_wait_ms=100,
            )
        try:
            with _translated(self._slot):
                self._consumer.subscribe(list(topics), listener=self)
                self._producer = BoundedProducer(
                    **transactional(kafka, worker, name),
                    linger_ms=5,
                    # Every batch that is begun wakes the sender's thread and costs a part of a request: 16 KiB, the
                    # default, are some 15 records.
                    batch_size=256 * 1024,
                )
                self._producer.init_transactions()
        except BaseException:
            self.close()
            raise

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        for partition in assigned:
            self._bump(partition)
        if assigned:
            log.info("partitions_assigned", partitions=_names(assigned))
        if assigned and self._check is not None:
            # Nothing of them is fetched yet, so that kafka-python parks nothing which it could forget (decision 8).
            self._consumer.pause(*assigned)
            self._unchecked |= assigned
            self._check.begin()

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for partition in revoked:
            self._bump(partition)
        if revoked:
            log.info("partitions_revoked", partitions=_names(revoked))

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        for partition in lost:
            self._bump(partition)
        if lost:
            log.warning("partitions_lost", partitions=_names(lost))

    def _bump(self, partition: TopicPartition) -> None:
        self._unchecked.discard(partition)
        key = (partition.topic, partition.partition)
        self._epochs[key] = self._epochs.get(key, 0) + 1

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        polled = self._poll(timeout_ms, max_records)
        return [
            ConsumedMessage(
                Position(record.topic, record.partition, record.offset),
                record.timestamp,
                record.value if record.value is not None else b"",
                tuple(record.headers or ()),
                self._epochs.get((record.topic, record.partition), 0),
            )
            for records in polled.values()
            for record in records
        ]

    def _poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Short polls with pauses: a broker that answers empty fetches at once (the local one does) would make a
        single long poll spin."""
        until = time.monotonic() + timeout_ms / 1000
        while True:
            polled = self._step(
                partial(self._consumer.records, max_records), 0 if self._consumer.assignment() else timeout_ms
            )
            left = until - time.monotonic()
            if not polled:
                self._stalls.polled_nothing()
            if polled or left <= 0:
                return polled
            time.sleep(min(_PAUSE_S, left))

    def keep_alive(self, timeout_ms: int) -> None:
        until = time.monotonic() + timeout_ms / 1000
        self._step(self._consumer.attend, timeout_ms)
        if (left := until - time.monotonic()) > 0:
            time.sleep(left)

    def _step(self, poll: Callable[[int], _T], timeout_ms: int) -> _T:
        """One poll, or as many as the group's rebalance takes. Raises Fenced after an expulsion."""
        until = time.monotonic() + _REJOIN_S
        while True:
            # Before the poll: a broker that does not answer must not cost the records of one.
            self._admit()
            with _translated(self._slot):
                polled = poll(_REJOIN_POLL_MS if self._consumer.rejoining else timeout_ms)
            self._consumer.membership()
            if polled or not self._consumer.rejoining or time.monotonic() >= until:
                return polled

    def _admit(self) -> None:
        """Let read what was assigned, from where the group has come to, once that can be believed."""
        if self._check is None or not self._unchecked or (least := self._check.resume_offsets()) is None:
            return
        starts: dict[Partition, int] = {}
        timeout_ms = _COMMITTED_MS
        for each in self._unchecked:
            with _translated(self._slot):
                try:
                    # Asked again: the answer that came with the assignment may be the one that was waited out.
                    committed = self._consumer.committed(each, timeout_ms=timeout_ms) or 0
                except KafkaTimeoutError:
                    least = least or self._check.resume_offsets_in_open_transaction(
                        [(p.topic, p.partition) for p in self._unchecked]
                    )
                    if not least:
                        return  # to the poll, so that a rebalance need not wait for this
                    committed, timeout_ms = 0, _PAUSE_MS
                key = (each.topic, each.partition)
                if start := max(committed, least.get(key, 0)):
                    self._consumer.seek(each, start)
                if least.get(key, 0) > committed:
                    starts[key] = start
        if starts:
            self.commit([], starts)
        with _translated(self._slot):
            self._consumer.resume(*self._unchecked)
        self._unchecked.clear()

    def stale(self, incoming: Sequence[ConsumedMessage]) -> set[Partition]:
        owned = {(p.topic, p.partition) for p in self._consumer.assignment()}
        return {
            message.partition
            for message in incoming
            if message.partition not in owned or message.epoch != self._epochs.get(message.partition, 0)
        }

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        producer = self._producer
        assert producer is not None
        # Checked: an expelled consumer's metadata is empty, and empty metadata commits without fencing.
        membership = self._consumer.membership()
        sent: list[Any] = []
        try:
            headers = tracing.headers() or None
            producer.begin_transaction()
            sent = [
                producer.send(message.topic, value=message.value, key=message.key, partition=partition, headers=headers)
                for message, partition in zip(messages, _places(producer, messages), strict=True)
            ]
            producer.send_offsets_to_transaction(
                {TopicPartition(*key): OffsetAndMetadata(offset, "", -1) for key, offset in offsets.items()},
                membership,
            )
            producer.commit_transaction()
            if self._check is not None:
                self._check.note(offsets)
        except KafkaError as error:
            aborted = self._aborted(error)
            for message, future in zip(messages, sent, strict=False):
                if isinstance(future.exception, _TOO_LARGE):
                    # Trying again would stand still for ever, and look like a broker that is away.
                    raise _too_large(message) from error
            raise aborted from error

    def _aborted(self, error: KafkaError) -> TriageError:
        assert self._producer is not None
        if isinstance(error, _FENCED):
            return self._slot.fenced(error)
        if isinstance(error, _REBUILD):
            return Fenced(f"transaction of {self.name} was refused: {error}")
        try:
            self._producer.abort_transaction()
        except KafkaError as second:
            return Fenced(f"transaction of {self.name} could not be aborted: {second} (after {error})")
        if isinstance(error, _REJOIN):
            return Unavailable("kafka", f"the group rebalances: {error}")
        return Unavailable("kafka", f"transaction aborted: {error}")

    def partitions(self) -> Mapping[Partition, PartitionState]:
        assignment = list(self._consumer.assignment() - self._unchecked)
        if not assignment:
            return {}
        # Asked of the broker each time: the ends that fetches report are old while other partitions keep us busy, and
        # a partition that only seems caught up would push the watermark past its waiting records.
        with _translated(self._slot):
            ends = known_offsets(partial(self._consumer.end_offsets, timeout_ms=_ENDS_MS), assignment)
            positions = {partition: self._consumer.position(partition, timeout_ms=_ENDS_MS) for partition in ends}
        states = {
            (partition.topic, partition.partition): PartitionState(position, ends[partition])
            for partition, position in positions.items()
            if position is not None
        }
        if stalled := self._stalls.stalled(states):
            raise Fenced(f"{self.name} reads nothing of {stalled}, though there is")
        return states

    def partition_count(self, topic: str) -> int:
        assert self._producer is not None
        with _translated(self._slot):
            found = self._producer.partitions_for(topic)
        return len(found)

    def close(self) -> None:
        # Broken connections must not keep a worker from ending; whatever is uncommitted is read again.
        with contextlib.suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=5_000)
        if self._producer is not None:
            self._producer.end(5)


def _too_large(message: Message) -> ConfigError:
    size = len(message.value or b"")
    return ConfigError(
        f"kafka: the broker takes no message of {size:,} bytes in {message.topic}; set the topic's "
        "max.message.bytes to at least 1MiB, as `triage topics plan` shows; nothing of the batch was committed"
    )


def _places(producer: BoundedProducer, messages: Sequence[Message]) -> list[int | None]:
    """The partition of each message; None where neither it nor a key decides."""
    places = [message.partition for message in messages]
    keyed: dict[str, list[int]] = {}
    for at, message in enumerate(messages):
        if message.partition is None and message.key is not None:
            keyed.setdefault(message.topic, []).append(at)
    for topic, found in keyed.items():
        keys = [messages[at].key or b"" for at in found]
        for at, partition in zip(found, partitions_of(keys, len(producer.partitions_for(topic))), strict=True):
            places[at] = partition
    return places


def _names(partitions: set[TopicPartition]) -> list[str]:
    return sorted(f"{partition.topic}/{partition.partition}" for partition in partitions)


class _translated(contextlib.AbstractContextManager["_translated"]):  # noqa: N801 - reads as a verb where used
    """kafka-python's errors as ours."""

    def __init__(self, slot: MemberIdentity) -> None:
        self._slot = slot

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or not isinstance(error, KafkaError):
            return
        if isinstance(error, _FENCED):
            raise self._slot.fenced(error) from error
        if isinstance(error, _REBUILD):
            raise Fenced(f"kafka: {error}") from error
        raise translate(error) from error
