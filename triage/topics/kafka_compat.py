"""Workarounds for kafka-python. Written against 3.0.12, the newest release; another minor version needs a review.

Each entry describes what the library does, its effect, and when the workaround can be removed. If a test can detect
that, it is named: these tests are in `tests/topics/test_kafka_compat.py` and fail once the library is fixed. Only this
module uses private attributes of the library. See docs/decisions/0008-honest-group-members.md.
"""

import logging
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, SupportsIndex

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.consumer.fetcher import Fetcher
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    CorruptRecordError,
    IllegalStateError,
    InvalidProducerEpochError,
    KafkaError,
    KafkaTimeoutError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    ProducerFencedError,
    UnknownError,
    UnsupportedCompressionTypeError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.producer.transaction_manager import TransactionalRequestResult
from kafka.protocol.metadata import MetadataRequest
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.structs import MemberState

from triage.config import KafkaSettings
from triage.errors import Fenced
from triage.topics.fair_share import take_fairly
from triage.topics.kafka_types import (
    Admin,
    ConsumerRecord,
    GroupMetadata,
    Headers,
    OffsetAndMetadata,
    Producer,
    RecordFuture,
    TopicPartition,
)
from triage.topics.unreadable import UnreadableBatch, describe

REVIEWED = "3.0"
"""The minor version that the entries below were checked against."""

FENCED = (InvalidProducerEpochError, ProducerFencedError)
"""Another producer has the transactional id, or the broker ended a transaction that took too long."""

UNUSABLE = (CorruptRecordError, IllegalStateError, InvalidProducerEpochError)
"""Errors after which a client must be rebuilt.

The producer never leaves its fatal states (IllegalStateError), each further transaction fails at once. Can go when it
recovers. CorruptRecordError is what a broker says of a batch that was damaged on its way there.
"""

# Errors of a partition in an answer to a fetch: none, CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE.
_UNREADABLE_CODES = (0, CorruptRecordError.errno, UnsupportedCompressionTypeError.errno)


# Time after `delivery_timeout_ms` in which the library fails what it could not deliver.
_EXPIRY_S = 1.0

# Time in ms in which a connection to a coordinator that is alive is made.
_CONNECTION_MS = 2_000


# Clients that never reach a broker.


@contextmanager
def closing_on_failure(kind: type[KafkaNetClient] = KafkaNetClient) -> Iterator[Callable[..., KafkaNetClient]]:
    """Context manager that closes the network client of a consumer or producer if its construction fails.

    Pass the value of the `with` block as `kafka_client` to the consumer or producer that is constructed in it. The
    client is of class `kind`.

    The library starts a thread and opens sockets before it contacts a broker, and leaves them open if none answers: a
    worker that waits for a broker would accumulate them with each attempt. Remove when
    `test_the_library_leaves_a_thread_behind` fails.
    """
    read_any_header_names()
    try_each_address()
    made: list[KafkaNetClient] = []

    def client(**configs: Any) -> KafkaNetClient:
        made.append(kind(**configs))
        return made[-1]

    try:
        yield client
    except BaseException:
        for each in made:
            with suppress(Exception):
                each.close()
        raise


def _get_connection_in_time(
    manager: KafkaConnectionManager, node_id: Any, timeout_ms: float | None = None, **options: Any
) -> Any:
    if timeout_ms is not None:
        timeout_ms = min(timeout_ms, manager.socket_connection_setup_timeout_ms(node_id))
    return _get_connection(manager, node_id, timeout_ms=timeout_ms, **options)


_get_connection = KafkaConnectionManager.get_connection


def try_each_address() -> None:
    """Let all clients of this process give up an address that does not answer, and try the next one.

    A frozen broker accepts connections and answers nothing. A client that starts chooses an address at random, and the
    library lets the connection to it take the whole `bootstrap_timeout_ms`: with one frozen broker of three, every
    third start of a client fails. Here it may take `socket_connection_setup_timeout_ms`, as all later connections.
    Remove when `test_the_library_spends_the_whole_start_on_a_frozen_broker` fails.
    """
    KafkaConnectionManager.get_connection = _get_connection_in_time


def probe(settings: KafkaSettings, timeout_s: float) -> dict[str, Exception]:
    """Connect to the brokers in turn, authenticate and ask for metadata.

    Returns {} as soon as one answers, else the error of each address. The library itself retries after a refused
    password until its timeout, and then raises only that timeout. Remove when a client's constructor raises
    SaslAuthenticationFailedError at once.
    """
    try_each_address()
    timeout_ms = round(timeout_s * 1000)
    failures: dict[str, Exception] = {}
    with _quiet:
        loop = NetworkSelector(client_id="triage-probe")
        manager = KafkaConnectionManager(
            loop, **settings.client(), request_timeout_ms=timeout_ms, client_id="triage-probe"
        )
        loop.start()

        async def ask(node: str) -> None:
            connection = manager.get_connection(node, timeout_ms=timeout_ms, refresh_metadata_on_err=False)
            await manager.wait_for(connection.init_future, timeout_ms)
            await connection.send_request(MetadataRequest(topics=[], max_version=12))

        async def close() -> None:
            manager.close()

        try:
            for broker in manager.cluster.bootstrap_brokers():
                try:
                    # The library leaks the socket of a refused connection, and gives a poorer reason.
                    socket.create_connection((broker.host, broker.port), timeout_s).close()
                    manager.run(ask, broker.node_id)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason for this address
                    failures[f"{broker.host}:{broker.port}"] = error
                else:
                    return {}
        finally:
            # The connections must be closed on their own thread, before it ends.
            manager.run(close())
            loop.stop(timeout_ms=5_000)
            loop.close()
    return failures


class _QuietLogs:
    """Context manager that turns off kafka-python's log, which reports failed attempts as errors. Reentrant.

    For `probe`, a failed attempt is an expected answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._level = logging.NOTSET

    def __enter__(self) -> None:
        logger = logging.getLogger("kafka")
        with self._lock:
            if not self._inside:
                self._level = logger.level
                logger.setLevel(logging.CRITICAL + 1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                logging.getLogger("kafka").setLevel(self._level)


_quiet = _QuietLogs()


# Reading.


class _Lenient(bytes):
    """Bytes whose `decode` replaces what is not UTF-8 with U+FFFD, as Kafka's own Java clients do; slices, too."""

    def __getitem__(self, key: "SupportsIndex | slice") -> Any:
        found = super().__getitem__(key)
        return _Lenient(found) if isinstance(found, bytes) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _LenientRecordBatch(DefaultRecordBatch):
    """A record batch that can read records whose header names are not UTF-8: those bytes become U+FFFD."""

    _buffer: Any
    _pos: int

    def _read_msg(self) -> Any:
        start = self._pos
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            strict, self._buffer, self._pos = self._buffer, _Lenient(self._buffer), start
            try:
                return super()._read_msg()
            finally:
                self._buffer = strict


def read_any_header_names() -> None:
    """Let all consumers of this process read records whose header names are not UTF-8.

    Other clients may send those. In the library such a name fails the poll, and each poll after it loops forever: no
    later record is read. Remove when `test_the_library_fails_on_such_a_name` fails.
    """
    memory_records.DefaultRecordBatch = _LenientRecordBatch


def sendable_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, bytes]]:
    """Convert the headers of a received record to a form that can be sent again: null values become empty.

    The library reads null as the value of a header, but its producer cannot encode it. Remove when
    `test_the_library_sends_no_null_header` fails.
    """
    return [(name, value or b"") for name, value in headers]


def known_offsets(
    ask: Callable[[list[TopicPartition]], Mapping[TopicPartition, int]], partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Ask for the first or last offsets of partitions, leaving out partitions whose leader is unknown.

    `ask` is a consumer's `beginning_offsets` or `end_offsets`; its errors are passed on, except KeyError. The library
    leaves partitions without a leader out of its request, refreshes its metadata, and then fails with a KeyError for
    the first of them. For topics that the consumer does not read, its metadata may be incomplete. Remove when a
    partition without a leader (one of several brokers stopped) is waited for or raises KafkaError.
    """
    left = list(partitions)
    while left:
        try:
            return dict(ask(left))
        except KeyError as error:
            if error.args[0] not in left:
                raise
            left.remove(error.args[0])
    return {}


# Batches that can't be read.


class _SeenBatches:
    """Wraps the record batches of one fetch, and gives the bytes of the current batch and of the one after it."""

    def __init__(self, records: memory_records.MemoryRecords) -> None:
        self._records = records
        self._current: memoryview | None = None

    def next_batch(self) -> Any:
        self._current = self._records._next_slice  # noqa: SLF001 - nothing public tells where a batch is
        return self._records.next_batch()

    def current(self) -> bytes:
        return bytes(self._current or b"")

    def following(self) -> bytes:
        found = self._records._next_slice  # noqa: SLF001
        return b"" if found is None or found is self._current else bytes(found)


def stop_at_unreadable(consumer: KafkaConsumer, report: Callable[[UnreadableBatch], None]) -> None:
    """Let the consumer pause a partition at a batch that it cannot read, report it, and read all other partitions.

    `report` is called on the polling thread. The position stays at the batch: `seek` skips it, and `resume` alone reads
    it again. In the library the poll fails, each poll after it loops forever, and a new consumer fails at the same
    batch. Remove when `test_the_library_fails_at_a_batch_that_it_cannot_read` fails and the exception of a poll names
    the partition.
    """
    fetcher, subscriptions = consumer._fetcher, consumer._subscription  # noqa: SLF001 - it has no hook for it

    class Records(Fetcher.PartitionRecords):
        def __init__(self, fetch_offset: int, tp: Any, records: Any, **options: Any) -> None:
            self._seen = _SeenBatches(records)
            super().__init__(fetch_offset, tp, self._seen, **options)

        def take(self, n: int | None = None) -> list[Any]:
            try:
                taken: list[Any] = super().take(n)
            except Exception as error:  # noqa: BLE001 - the codecs raise errors of their own
                where = self.topic_partition
                subscriptions.pause(where)
                self.drain()
                offset, raw, following = self.next_fetch_offset, self._seen.current(), self._seen.following()
                report(describe(where.topic, where.partition, offset, error, raw, following))
                return []
            return taken

    parse = fetcher._parse_fetched_data  # noqa: SLF001

    def parse_or_stop(completed: Any) -> Any:
        try:
            return parse(completed)
        except KafkaError as error:
            # Either the broker can't read its own log there, or its answer has no whole batch.
            if completed.partition_data.error_code not in _UNREADABLE_CODES:
                raise
            where = completed.topic_partition
            subscriptions.pause(where)
            report(describe(where.topic, where.partition, completed.fetched_offset, error))
            return None

    fetcher.PartitionRecords = Records
    fetcher._parse_fetched_data = parse_or_stop  # noqa: SLF001


def read_fairly(consumer: KafkaConsumer, weight_of: Callable[[TopicPartition], int]) -> None:
    """Let each poll take records from all partitions that have any, in proportion to their weights.

    The library reads all that it has fetched of one partition, up to 1 MiB, before the next: while one topic has a
    backlog, a record of another waits for minutes. Remove when `test_the_library_reads_one_partition_after_the_other`
    fails.
    """
    fetcher = consumer._fetcher  # noqa: SLF001
    fetcher.fetched_records = _FairReader(fetcher, consumer._subscription, weight_of).fetched_records  # noqa: SLF001


class _FairReader:
    """A replacement for the method `fetched_records` of kafka-python's fetcher that takes records from all partitions.

    What was fetched is kept where the library keeps records of paused partitions: it does not fetch those again.
    """

    def __init__(self, fetcher: Any, subscriptions: Any, weight_of: Callable[[TopicPartition], int]) -> None:
        self._fetcher = fetcher
        self._subscriptions = subscriptions
        self._weight_of = weight_of
        self._kept: dict[TopicPartition, Any] = fetcher._paused_partition_records  # noqa: SLF001
        self._failed: Exception | None = None

    def fetched_records(
        self, max_records: int | None = None, update_offsets: bool = True
    ) -> tuple[dict[TopicPartition, list[ConsumerRecord]], bool]:
        """Return (records by partition, False), like the library's method that this replaces.

        An error that occurs after some records were taken is raised by the next call, as in the library.
        """
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        drained: dict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        try:
            self._keep_what_has_arrived()
            takers = {
                where: partial(self._take, where, drained, update_offsets)
                for where in self._kept
                if not self._subscriptions.is_paused(where)
            }
            take_fairly(takers, max_records or self._fetcher.config["max_poll_records"], self._weight_of)
        except Exception as error:
            if not drained:
                raise
            self._failed = error
        return dict(drained), False

    def _keep_what_has_arrived(self) -> None:
        raw, paused = self._fetcher._completed_fetches, self._fetcher._paused_completed_fetches  # noqa: SLF001
        for where in [each for each in paused if not self._subscriptions.is_paused(each)]:
            raw.append(paused.pop(where))
        while raw:
            completed = raw.popleft()
            where = completed.topic_partition
            if self._subscriptions.is_paused(where):
                paused[where] = completed
            elif records := self._fetcher._parse_fetched_data(completed):  # noqa: SLF001
                self._kept[where] = records

    def _take(
        self,
        where: TopicPartition,
        drained: dict[TopicPartition, list[ConsumerRecord]],
        update_offsets: bool,
        limit: int,
    ) -> int:
        records = self._kept.pop(where)
        taken: int = self._fetcher._append(drained, records, limit, update_offsets)  # noqa: SLF001
        if records:
            # At the end: next time the others come first.
            self._kept[where] = records
        return taken


def report_resets(consumer: KafkaConsumer, report: Callable[[TopicPartition, int], None]) -> None:
    """Let the consumer report a partition whose next offset no longer exists in Kafka: (partition, that offset).

    The library then continues at the first or last existing offset, and logs it only at level INFO. Remove when the
    library has a hook for it.
    """
    subscriptions = consumer._subscription  # noqa: SLF001
    request = subscriptions.request_offset_reset

    def request_and_report(partition: TopicPartition, *strategy: Any) -> None:
        position = subscriptions.assignment[partition].position
        if position is not None:
            report(partition, position.offset)
        request(partition, *strategy)

    subscriptions.request_offset_reset = request_and_report


# Administration.


def broker_count(admin: Admin) -> int | None:
    """Return the number of brokers in the cluster; None if kafka-python cannot read the response.

    Its `describe_cluster` fails with a KeyError on brokers that support only version 0 of DescribeCluster (Kafka before
    3.7). Remove when it does not expect `endpoint_type` in every response.
    """
    with suppress(KeyError):
        return len(admin.describe_cluster()["brokers"])
    return None


def topic_configs(admin: Admin, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the settings of each topic by name; {} for a topic whose settings the user is not allowed to read.

    The library drops the error in the broker's response and returns no settings; every topic has some, so none means
    that the permission is missing. Remove when `describe_configs` raises TopicAuthorizationFailedError.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = admin.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    return {resource.name: found.get(resource.name, {}) for resource in resources}


def error_text(error: BaseException) -> str:
    """Return the message of an error without the class names before it; the class name if the message is empty.

    The library writes "[Error 58] SaslAuthenticationFailedError: SaslAuthenticationFailedError: reason".
    """
    text = str(error).strip()
    name = type(error).__name__
    while True:
        shorter = text.removeprefix(f"{name}:").strip()
        if shorter.startswith("[Error ") and "] " in shorter:
            shorter = shorter.partition("] ")[2]
        if shorter == text:
            return text or name
        text = shorter


# Groups and transactions.


class CooperativeConsumer(KafkaConsumer):
    """A consumer with cooperative rebalancing that notices when the broker has removed it from its group (expelled it).

    kafka-python's consumer does not, in two ways. A member that learns of its expulsion from a refused JoinGroup joins
    again in the same call, still claiming its earlier partitions and positions: the leader then assigns a partition
    both to it and to its current owner. And a join that completes between two polls is dropped and started again, for
    the whole group; only a poll that waits notices it (`rejoining`). Remove when `make faults ARGS="--only 'worker
    frozen' 'Kafka network stalled'"` finds no duplicates with a plain KafkaConsumer.
    """

    def __init__(
        self,
        *topics: str,
        unreadable: Callable[[UnreadableBatch], None] | None = None,
        weight_of: Callable[[TopicPartition], int] = lambda _: 1,
        **configs: Any,
    ) -> None:
        """Create the consumer; `configs` are those of KafkaConsumer.

        `unreadable` is called with each batch that can't be read, as `stop_at_unreadable` describes. `weight_of` gives
        the weight of a partition for `read_fairly`.
        """
        self._member_id = ""
        consumer = self

        class HonestAssignor(CooperativeStickyAssignor):
            """A partition assignor that claims no partitions for a consumer that has lost its membership.

            The library calls it on its network thread.
            """

            def metadata(self, topics: Any) -> Any:
                if consumer._is_expelled(consumer.group_metadata()):
                    self.member_assignment = None
                return super().metadata(topics)

        with closing_on_failure() as client:
            super().__init__(*topics, partition_assignment_strategy=[HonestAssignor], kafka_client=client, **configs)
        self._resets: dict[TopicPartition, int] = {}
        report_resets(self, self._resets.__setitem__)
        read_fairly(self, weight_of)
        if unreadable is not None:
            stop_at_unreadable(self, unreadable)

    @property
    def rejoining(self) -> bool:
        return bool(self._coordinator.need_rejoin() or self.group_metadata().state != MemberState.STABLE)

    def resets(self) -> dict[TopicPartition, int]:
        """Partitions whose next offset, the value, was found missing in Kafka since the last call."""
        found = dict(self._resets)
        self._resets.clear()
        return found

    def records(self, max_records: int, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        found: dict[TopicPartition, list[ConsumerRecord]] = self.poll(timeout_ms=timeout_ms, max_records=max_records)
        return found

    def attend(self, timeout_ms: int) -> None:
        """Send heartbeats and take part in rebalances, without fetching or returning records.

        It replaces `pause`, `poll` and `resume`: since dpkp/kafka-python#2981 the library sets aside what it has
        fetched of a paused partition, and loses it if another partition is read to its end before the first is resumed.
        Remove when `test_the_library_forgets_a_partition_paused_in_mid_fetch_once_another_was_read` fails.
        """
        self._coordinator.poll(timeout_ms=timeout_ms)

    def membership(self) -> GroupMetadata:
        """Return the group metadata of this consumer, which a transaction sends when it commits offsets.

        Raises Fenced if the group has expelled it: its partitions then belong to another member, and Kafka would accept
        a commit without a member's name.
        """
        now: GroupMetadata = self.group_metadata()
        if self._is_expelled(now):
            raise Fenced(f"{self.config['client_id']} was expelled from its group")
        if now.generation_id >= 0:
            self._member_id = now.member_id
        return now

    def _is_expelled(self, now: GroupMetadata) -> bool:
        return bool(self._member_id) and (now.member_id != self._member_id or now.generation_id < 0)


class CoordinatorSeekingClient(KafkaNetClient):
    """A network client that gives up a slow connection early, so that a producer can ask for a new coordinator.

    The library waits for a connection to a transaction's coordinator as long as for a response, and only then asks
    which broker is the coordinator: if the coordinator has failed, every commit would time out although another broker
    has taken over. A slow connection is still completed. Remove when
    `test_the_library_waits_for_a_dead_coordinator_as_long_as_for_an_answer` fails.
    """

    def await_ready(self, node_id: Any, timeout_ms: float = 30_000) -> bool:
        ready: bool = super().await_ready(node_id, timeout_ms=min(timeout_ms, _CONNECTION_MS))
        return ready


class BoundedProducer(KafkaProducer):
    """A transactional producer whose commits and aborts end within a timeout; a commit includes every sent record.

    The library waits without limit for the response to a commit or abort: if a broker stays unavailable, the worker
    hangs. Here it waits for `request_timeout_ms`. The outcome of such a transaction is known only to the broker, from
    which the next producer with the same id learns it. Remove when `test_the_library_waits_for_a_commit_without_end`
    fails.

    The library commits a transaction without the records that it could not deliver within `delivery_timeout_ms`. Here
    the commit is sent after every record was acknowledged. Remove when
    `test_the_library_commits_without_records_that_it_did_not_deliver` fails.
    """

    def __init__(self, **configs: Any) -> None:
        self._sent: list[RecordFuture] = []
        self._refusal: type[KafkaError] | None = None
        with closing_on_failure(CoordinatorSeekingClient) as client:
            super().__init__(kafka_client=client, **configs)
        self._note_refusals()

    def _note_refusals(self) -> None:
        """Keep the last error with which a broker refused records that are sent again.

        The library only logs it, and says that time has passed in the end. Can go when its timeout names the error.
        """
        can_retry = self._sender._can_retry  # noqa: SLF001

        def note_and_ask(batch: Any, error: type[KafkaError]) -> bool:
            self._refusal = error
            return bool(can_retry(batch, error))

        self._sender._can_retry = note_and_ask  # noqa: SLF001

    @property
    def fenced(self) -> bool:
        """True once the broker has refused this producer as fenced, even if a later error hides it."""
        return isinstance(self._transaction_manager.last_error, FENCED)

    def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_metadata: GroupMetadata
    ) -> None:
        self._await(self._transaction_manager.send_offsets_to_transaction(offsets, group_metadata))

    def begin_transaction(self) -> None:
        self._sent, self._refusal = [], None
        super().begin_transaction()

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
    ) -> RecordFuture:
        future: RecordFuture = super().send(topic, value, key, headers, partition)
        self._sent.append(future)
        return future

    def commit_transaction(self) -> None:
        self._require_delivery()
        self._await(self._transaction_manager.begin_commit())

    def abort_transaction(self) -> None:
        self._await(self._transaction_manager.begin_abort())

    def _require_delivery(self) -> None:
        """Wait until every record of the transaction is acknowledged.

        Raises the KafkaError with which one was refused; Fenced if one was not acknowledged in time: the broker may
        have it all the same, and after that the library's sequence numbers no longer fit those of the broker.
        """
        timeout_s = self.config["delivery_timeout_ms"] / 1000 + _EXPIRY_S
        try:
            # Raised for a batch that was too large and was split: its records have new futures.
            with suppress(UnknownError):
                self.flush(timeout_s)
            for future in self._sent:
                if not future.is_done or future.exception is not None:
                    future.get(timeout_s)
        except KafkaTimeoutError as error:
            raise Fenced(
                f"records of a transaction of {self.config['transactional_id']} were not acknowledged, "
                f"so it is not committed: {error_text(error)}{_of_refusal(self._refusal)}"
            ) from error

    def end(self, timeout_s: float) -> None:
        end_producer(self, timeout_s)

    def _await(self, result: TransactionalRequestResult) -> None:
        self._sender.wakeup()
        timeout_ms = self.config["request_timeout_ms"]
        if not result.wait(timeout_ms=timeout_ms):
            raise Fenced(f"no answer to a transaction of {self.config['transactional_id']} in {timeout_ms} ms")


def _of_refusal(error: type[KafkaError] | None) -> str:
    if error is None:
        return ""
    few = issubclass(error, (NotEnoughReplicasError, NotEnoughReplicasAfterAppendError))
    hint = ": fewer replicas are in sync than min.insync.replicas; are all brokers up?" if few else ""
    return f"; the broker answered {error.__name__}{hint}"


def end_producer(producer: Producer, timeout_s: float) -> None:
    """Close a producer, its thread and sockets within `timeout_s`; records that cannot be sent by then are dropped.

    If records could not be sent, the library's `close` raises before it has stopped its thread. Remove when it stops
    the thread in any case.
    """
    try:
        producer.close(timeout=timeout_s)
    except KafkaError:
        producer._sender.force_close()  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public ends the thread
