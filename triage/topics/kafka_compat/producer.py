"""The transactional producer: its calls end in bounded time, and a commit includes every record that was sent."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    UnknownError,
)
from kafka.net.compat import KafkaNetClient
from kafka.producer.transaction_manager import TransactionalRequestResult

from triage.errors import Fenced
from triage.topics.kafka_compat.connections import closing_on_failure
from triage.topics.kafka_compat.errors import FENCED, error_text
from triage.topics.kafka_compat.record_batches import Record, SentRecords, append_all
from triage.topics.kafka_types import (
    GroupMetadata,
    Headers,
    OffsetAndMetadata,
    Producer,
    RecordFuture,
    TopicPartition,
)

# Time after `delivery_timeout_ms` in which the library fails what it could not deliver.
_EXPIRY_S = 1.0

# Time in ms in which a connection to a coordinator that is alive is made.
_CONNECTION_MS = 2_000


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
        self._sent: list[RecordFuture | SentRecords] = []
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

    def send_all(
        self, topic: str, partition: int, records: Sequence[Record], headers: Headers | None = None
    ) -> SentRecords:
        """Send (key, value) of many records to one partition, all with the same headers, and return at once.

        The result tells when the brokers have acknowledged them. Raises the errors of `record_batches.append_all`.
        """
        sent = append_all(self, TopicPartition(topic, partition), records, headers or [])
        self._sent.append(sent)
        return sent

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
