"""kafka-python's transactional producer, with an end to every wait."""

from collections.abc import Mapping
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError
from kafka.producer.transaction_manager import TransactionalRequestResult
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from triage.config import KafkaSettings, WorkerSettings
from triage.errors import Fenced
from triage.topics.clients import cleared_away

FENCED = (InvalidProducerEpochError, ProducerFencedError)
"""Another producer has the transactional id, or the broker ended a transaction that took too long."""

MAX_REQUEST_BYTES = 8 * 1024 * 1024


def transactional(kafka: KafkaSettings, worker: WorkerSettings, name: str) -> dict[str, Any]:
    """Arguments of a BoundedProducer with `name` as its transactional id."""
    return {
        **kafka.client(),
        "client_id": name,
        "transactional_id": name,
        "transaction_timeout_ms": worker.transaction_timeout_ms,
        "request_timeout_ms": kafka.request_timeout_ms,
        "max_block_ms": kafka.request_timeout_ms,
        "max_request_size": MAX_REQUEST_BYTES,
    }


class BoundedProducer(KafkaProducer):
    """Commits and aborts wait `request_timeout_ms` and no longer.

    kafka-python 3.0 waits without end there: a broker that stays away, and the worker stands still. How such a
    transaction ended only the broker knows, and a successor of this producer asks it.
    """

    def __init__(self, **configs: Any) -> None:
        with cleared_away() as client:
            super().__init__(kafka_client=client, **configs)

    @property
    def fenced(self) -> bool:
        """Whether it was refused as fenced, also where the error that was raised since does not say so."""
        return isinstance(self._transaction_manager.last_error, FENCED)

    def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_metadata: ConsumerGroupMetadata
    ) -> None:
        """Raises Fenced without an answer in time, KafkaError."""
        self._await(self._transaction_manager.send_offsets_to_transaction(offsets, group_metadata))

    def commit_transaction(self) -> None:
        """Raises Fenced without an answer in time, KafkaError."""
        self._await(self._transaction_manager.begin_commit())

    def abort_transaction(self) -> None:
        """Raises Fenced without an answer in time, KafkaError."""
        self._await(self._transaction_manager.begin_abort())

    def end(self, timeout_s: float) -> None:
        """Close; what can't be sent in `timeout_s` is given up, and the thread and its sockets with it."""
        try:
            self.close(timeout=timeout_s)
        except KafkaError:
            # `close` gives up at what it could not send, before it comes to its thread.
            self._sender.force_close()

    def _await(self, result: TransactionalRequestResult) -> None:
        self._sender.wakeup()
        timeout_ms = self.config["request_timeout_ms"]
        if not result.wait(timeout_ms=timeout_ms):
            raise Fenced(f"no answer to a transaction of {self.config['transactional_id']} in {timeout_ms} ms")
