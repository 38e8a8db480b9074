"""The Source on Kafka: a cooperative consumer, and a transactional producer that commits its offsets.

Threads. Only the worker's own thread calls a source. kafka-python has threads of its own, for the consumer's network
(heartbeats included) and for sending. It calls the rebalance callbacks (`on_partitions_...`) on the network thread, but
only while the worker's thread waits in `poll`, `keep_alive` or `close`. The two never run at once, so nothing here has
a lock; but a callback must not call a consumer method that waits for the network.

State. A source lives from one join to the next: after Fenced it is closed and another is made. It owns, per partition,
the epoch of the assignment (raised at each assignment and revocation, so that messages read under an earlier one are
stale) and the set of assigned partitions whose committed offsets are not verified yet. MemberIdentity, StallDetector,
CommittedOffsetVerifier and UnreadablePartitions outlive it.

Blocking. `poll` and `keep_alive` wait for their timeout, and for `_REJOIN_S` at most while the group rebalances.
`commit` waits for `kafka.request_timeout_ms` per step, and for `kafka.commit_timeout_ms` in all. Questions about
offsets have timeouts of seconds. A call that never returns is ended by the watchdog.

Retries. None here: an aborted transaction raises Unavailable and the worker repeats it; an expulsion, a fenced producer
or an unusable client raise Fenced and the worker makes a new source, which reads from the committed offsets.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    ProducerFencedError,
    RebalanceInProgressError,
    RecordListTooLargeError,
    UnknownMemberIdError,
)

from triage import tracing
from triage.clock import SystemClock
from triage.config import KafkaSettings, WorkerSettings
from triage.errors import ConfigError, Fenced, TriageError, Unavailable
from triage.logging import get_logger
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.pipeline.kafka.expired_records import ExpiredRecords
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.producer import transactional
from triage.pipeline.kafka.stall_detector import StallDetector
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.pipeline.source import Message, PartitionState
from triage.topics import translate
from triage.topics.definitions import RAW_TOPICS
from triage.topics.kafka_compat import UNUSABLE, BoundedProducer, CooperativeConsumer, known_offsets
from triage.topics.kafka_types import (
    ConsumerRecord,
    GroupConsumer,
    OffsetAndMetadata,
    Producer,
    SentRecords,
    TopicPartition,
    TransactionalProducer,
)
from triage.topics.noida_compat import EMPTY_POLL_PAUSE_S
from triage.topics.partitioning import partitions_of
from triage.types import Channel, Position

log = get_logger("triage.feed")
_T = TypeVar("_T")

_COMMITTED_TIMEOUT_MS = 2_000
# For further partitions, once one was not answered because of an open transaction.
_SHORT_TIMEOUT_MS = 200
_ENDS_TIMEOUT_MS = 5_000
_METADATA_MAX_AGE_MS = 15_000
_REJOIN_S = 5.0
_REJOIN_POLL_MS = 1_000

# The group has rebalanced; the transaction is aborted, and the consumer rejoins while it polls.
_REJOIN = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# Another member or producer has the same id, or the broker takes it for another.
_FENCED = (FencedInstanceIdError, ProducerFencedError)


class KafkaSource(ConsumerRebalanceListener):
    """Reads the raw topics in a consumer group and commits in transactions.

    The transactional id and the group instance id are `<fleet>-<slot>`: a restarted worker gets its own partitions back
    at once and fences its predecessor. Offsets are sent with the consumer's group metadata, so that a worker whose
    partitions were reassigned cannot commit for them.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        topics: Sequence[str],
        identity: MemberIdentity,
        stall_detector: StallDetector | None = None,
        verifier: CommittedOffsetVerifier | None = None,
        beat: Callable[[], None] = lambda: None,
        unreadable: UnreadablePartitions | None = None,
        expired: ExpiredRecords | None = None,
        open_transactions: OpenTransactions | None = None,
    ) -> None:
        """Join the consumer group and initialize the transactional producer.

        `beat`, a heartbeat for the watchdog, is called before each step of a commit: each may take a whole request
        timeout. Raises Unavailable if Kafka does not answer, Fenced or ConfigError if another process has the
        identity, AccessDenied without a permission, and DependencyError for another refusal.
        """
        self._identity = identity
        self._beat = beat
        self._expired = expired or ExpiredRecords()
        self._open_transactions = open_transactions or OpenTransactions(SystemClock())
        # Partitions whose next offset Kafka does not have: what was lost is known once they have a position again.
        self._reset: dict[TopicPartition, int] = {}
        self._unreadable = unreadable or UnreadablePartitions(SystemClock())
        for partition in self._unreadable:
            self._unreadable.drop(partition)
        self._verifier = verifier
        self._unverified: set[TopicPartition] = set()
        self._stall_detector = stall_detector or StallDetector(SystemClock())
        self._epochs: dict[Partition, int] = {}
        self.name = name = identity.name
        self._producer: TransactionalProducer | None = None
        weights = {
            kafka.topic(RAW_TOPICS[Channel(channel)]): weight for channel, weight in worker.channel_weights.items()
        }
        with _translated(self._identity):
            self._consumer: GroupConsumer = CooperativeConsumer(
                **kafka.client(),
                unreadable=self._unreadable.report,
                weight_of=lambda partition: weights.get(partition.topic, 1),
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
                # Within this time new partitions are found, and the group shares them.
                metadata_max_age_ms=_METADATA_MAX_AGE_MS,
            )
        try:
            with _translated(self._identity):
                self._consumer.subscribe(list(topics), listener=self)
                self._producer = BoundedProducer(
                    **transactional(kafka, worker, name),
                    # Each producer batch wakes the sender's thread and is a part of a request; the default of 16 KiB
                    # holds some 15 records.
                    batch_size=256 * 1024,
                )
                self._producer.init_transactions()
        except BaseException:
            self.close()
            raise

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        for partition in assigned:
            self._start_epoch(partition)
        if assigned:
            log.info("partitions_assigned", partitions=_names(assigned))
        if assigned and self._verifier is not None:
            # Safe only now, before anything of them is fetched: see `CooperativeConsumer.attend`.
            self._consumer.pause(*assigned)
            self._unverified |= assigned
            self._verifier.begin()

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        for partition in revoked:
            self._start_epoch(partition)
        if revoked:
            log.info("partitions_revoked", partitions=_names(revoked))

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        for partition in lost:
            self._start_epoch(partition)
        if lost:
            log.warning("partitions_lost", partitions=_names(lost))

    def _start_epoch(self, partition: TopicPartition) -> None:
        self._unverified.discard(partition)
        key = (partition.topic, partition.partition)
        self._unreadable.drop(key)
        self._reset.pop(partition, None)
        self._epochs[key] = self._epochs.get(key, 0) + 1

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        found: list[ConsumedMessage] = []
        for where, records in self._poll(timeout_ms, max_records).items():
            topic, partition = where.topic, where.partition
            epoch = self._epochs.get((topic, partition), 0)
            found += [
                ConsumedMessage(
                    Position(topic, partition, record.offset),
                    record.timestamp,
                    record.value if record.value is not None else b"",
                    tuple(record.headers) if record.headers else (),
                    epoch,
                )
                for record in records
            ]
        return found

    def _poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Poll repeatedly, with a pause after each empty poll, until records arrive or `timeout_ms` has passed.

        See `EMPTY_POLL_PAUSE_S` for the reason of the pauses.
        """
        until = time.monotonic() + timeout_ms / 1000
        while True:
            polled = self._step(
                partial(self._consumer.records, max_records), 0 if self._consumer.assignment() else timeout_ms
            )
            left = until - time.monotonic()
            if not polled:
                self._stall_detector.count_empty_poll()
            if polled or left <= 0:
                return polled
            time.sleep(min(EMPTY_POLL_PAUSE_S, left))

    def keep_alive(self, timeout_ms: int) -> None:
        until = time.monotonic() + timeout_ms / 1000
        self._step(self._consumer.attend, timeout_ms)
        if (left := until - time.monotonic()) > 0:
            time.sleep(left)

    def _step(self, poll: Callable[[int], _T], timeout_ms: int) -> _T:
        """Poll once, or repeatedly while the group rebalances, for `_REJOIN_S` seconds at most.

        Raises Fenced if the broker removed this consumer from the group.
        """
        until = time.monotonic() + _REJOIN_S
        while True:
            # Before the poll: if a broker does not answer here, no polled records are lost.
            self._resume_verified()
            self._retry_unreadable()
            self._report_resets()
            with _translated(self._identity):
                polled = poll(_REJOIN_POLL_MS if self._consumer.rejoining else timeout_ms)
            self._consumer.membership()
            if polled or not self._consumer.rejoining or time.monotonic() >= until:
                return polled

    def _resume_verified(self) -> None:
        """Start reading the newly assigned, paused partitions once their committed offsets are verified."""
        if self._verifier is None or not self._unverified or (minimum := self._verifier.resume_offsets()) is None:
            return
        to_commit: dict[Partition, int] = {}
        expired: dict[Partition, tuple[int, int]] = {}
        timeout_ms = _COMMITTED_TIMEOUT_MS
        with _translated(self._identity):
            first = known_offsets(
                partial(self._consumer.beginning_offsets, timeout_ms=_ENDS_TIMEOUT_MS), self._unverified
            )
        for each in self._unverified:
            key = (each.topic, each.partition)
            with _translated(self._identity):
                try:
                    # Asked again: the answer that came with the assignment may be out of date by now.
                    committed = self._consumer.committed(each, timeout_ms=timeout_ms)
                except KafkaTimeoutError:
                    minimum = minimum or self._verifier.resume_offsets_in_open_transaction(
                        [(p.topic, p.partition) for p in self._unverified]
                    )
                    if not minimum:
                        return  # poll first, so that a rebalance need not wait for this
                    committed, timeout_ms = 0, _SHORT_TIMEOUT_MS
                    if not minimum.get(key):
                        # It is not known whether anything is committed: nothing is said to be lost.
                        continue
                start = max(committed or 0, minimum.get(key, 0))
                oldest = first.get(each, start)
                if oldest > start and (committed is not None or start):
                    expired[key] = (start, oldest)
                if max(start, oldest):
                    self._consumer.seek(each, max(start, oldest))
            if committed is None or max(start, oldest) > committed:
                # Also where nothing is committed yet: else nobody could tell later what was deleted before it was read.
                to_commit[key] = max(start, oldest)
        self._resume(to_commit, expired)

    def _resume(self, to_commit: Mapping[Partition, int], expired: Mapping[Partition, tuple[int, int]]) -> None:
        if to_commit:
            self.commit([], to_commit)
        with _translated(self._identity):
            self._consumer.resume(*self._unverified)
        self._unverified.clear()
        # Only now: after a failed commit all of this is done again.
        for key, (start, oldest) in expired.items():
            self._expired.report(key, start, oldest)

    def _report_resets(self) -> None:
        """Report records that retention deleted before they were read.

        This is noticed when a partition's next offset is no longer in the topic and its position is reset.
        """
        for each, offset in self._consumer.resets().items():
            self._reset.setdefault(each, offset)
        for each in self._reset.keys() & self._consumer.assignment():
            with _translated(self._identity):
                position = self._consumer.position(each, timeout_ms=_SHORT_TIMEOUT_MS)
            if position is not None:
                self._expired.report((each.topic, each.partition), self._reset.pop(each), position)

    def _retry_unreadable(self) -> None:
        """Retry the partitions that wait at an unreadable batch and are due.

        Reading starts after the batch if `triage worker skip` has committed an offset beyond it.
        """
        for key in self._unreadable:
            position = self._consumer.position(TopicPartition(*key), timeout_ms=_SHORT_TIMEOUT_MS)
            if position is not None:
                self._unreadable.reached(key, position)
        for key in self._unreadable.due():
            each = TopicPartition(*key)
            with _translated(self._identity):
                try:
                    committed = self._consumer.committed(each, timeout_ms=_COMMITTED_TIMEOUT_MS) or 0
                except KafkaTimeoutError:
                    continue
                if committed > (self._consumer.position(each, timeout_ms=_SHORT_TIMEOUT_MS) or 0):
                    self._consumer.seek(each, committed)
                self._consumer.resume(each)

    def stale(self, messages: Sequence[ConsumedMessage]) -> set[Partition]:
        read = {(message.position.topic, message.position.partition, message.epoch) for message in messages}
        assigned = {(p.topic, p.partition) for p in self._consumer.assignment()}
        return {
            (topic, partition)
            for topic, partition, epoch in read
            if (topic, partition) not in assigned or epoch != self._epochs.get((topic, partition), 0)
        }

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        producer = self._producer
        assert producer is not None
        # Raises after an expulsion: the group metadata is empty then, and would commit without fencing.
        membership = self._consumer.membership()
        sent: list[tuple[list[Message], SentRecords]] = []
        try:
            headers = tracing.headers() or None
            producer.begin_transaction()
            for (topic, partition), group in _by_partition(producer, messages).items():
                records = [(message.key, message.value) for message in group]
                sent.append((group, producer.send_all(topic, partition, records, headers)))
            self._beat()
            producer.send_offsets_to_transaction(
                {TopicPartition(*key): OffsetAndMetadata(offset) for key, offset in offsets.items()},
                membership,
            )
            self._beat()
            producer.commit_transaction()
            if self._verifier is not None:
                self._verifier.record_commit(offsets)
        except KafkaError as error:
            translated = self._abort(error)
            for group, outcome in sent:
                for message, failure in zip(group, outcome.errors(), strict=True):
                    if isinstance(failure, _TOO_LARGE):
                        # Retrying would never succeed, and look like a broker that is unavailable.
                        raise _too_large(message) from error
            raise translated from error

    def _abort(self, error: KafkaError) -> TriageError:
        """Abort the transaction that failed with `error`; returns the error to raise (Unavailable, Fenced, ...)."""
        assert self._producer is not None
        if isinstance(error, _FENCED):
            return self._identity.fenced(error)
        if isinstance(error, UNUSABLE):
            return Fenced(f"transaction of {self.name} was refused: {error}")
        self._beat()
        try:
            self._producer.abort_transaction()
        except KafkaError as second:
            return Fenced(f"transaction of {self.name} could not be aborted: {second} (after {error})")
        if isinstance(error, _REJOIN):
            return Unavailable("kafka", f"the group rebalances: {error}")
        return Unavailable("kafka", f"transaction aborted: {error}")

    def partitions(self) -> Mapping[Partition, PartitionState]:
        assignment = list(self._consumer.assignment() - self._unverified)
        if not assignment:
            return {}
        # Asked of the broker each time: the ends known from fetches are old while other partitions are being read, and
        # a partition that wrongly seems to have no lag would move the watermark past its waiting records.
        with _translated(self._identity):
            ends = known_offsets(partial(self._consumer.end_offsets, timeout_ms=_ENDS_TIMEOUT_MS), assignment)
            positions = {
                partition: self._consumer.position(partition, timeout_ms=_ENDS_TIMEOUT_MS) for partition in ends
            }
        states = {
            (partition.topic, partition.partition): PartitionState(
                position, ends[partition], self._consumer.highwater(partition) or 0
            )
            for partition, position in positions.items()
            if position is not None
        }
        self._open_transactions.watch(states)
        waiting = set(self._unreadable)
        if stalled := self._stall_detector.stalled({key: at for key, at in states.items() if key not in waiting}):
            raise Fenced(f"{self.name} reads nothing of {stalled}, though they have records")
        return states

    def partition_count(self, topic: str) -> int:
        assert self._producer is not None
        with _translated(self._identity):
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
        f"kafka: the broker refuses a message of {size:,} bytes in {message.topic}; set the topic's "
        "max.message.bytes to at least 1MiB, as `triage topics plan` shows; nothing of the batch was committed"
    )


def _by_partition(producer: Producer, messages: Sequence[Message]) -> dict[tuple[str, int], list[Message]]:
    """Return the messages of each partition, in order: the partition that a message names or that its key selects.

    A message with neither goes to partition 0.
    """
    found: dict[tuple[str, int], list[Message]] = {}
    keyed: dict[str, list[Message]] = {}
    for message in messages:
        if message.partition is None and message.key is not None:
            keyed.setdefault(message.topic, []).append(message)
        else:
            found.setdefault((message.topic, message.partition or 0), []).append(message)
    for topic, group in keyed.items():
        keys = [message.key or b"" for message in group]
        for message, partition in zip(group, partitions_of(keys, len(producer.partitions_for(topic))), strict=True):
            found.setdefault((topic, partition), []).append(message)
    return found


def _names(partitions: set[TopicPartition]) -> list[str]:
    return sorted(f"{partition.topic}/{partition.partition}" for partition in partitions)


class _translated(contextlib.AbstractContextManager["_translated"]):  # noqa: N801 - reads as a verb where used
    """Context manager that translates kafka-python's errors into those of triage."""

    def __init__(self, identity: MemberIdentity) -> None:
        self._identity = identity

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None or not isinstance(error, KafkaError):
            return
        if isinstance(error, _FENCED):
            raise self._identity.fenced(error) from error
        if isinstance(error, UNUSABLE):
            raise Fenced(f"kafka: {error}") from error
        raise translate(error) from error
