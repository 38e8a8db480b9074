"""Sends records to the raw topics and waits for Kafka's acknowledgement; a repeated record is not sent twice."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from kafka.errors import KafkaError, RetriableError

from triage.config import KafkaSettings
from triage.errors import InvalidRecord, TriageError, Unavailable
from triage.schemas.enriched import record_key
from triage.sources.ingest import make_producer
from triage.topics import require_topics, translate
from triage.topics.definitions import RAW_TOPICS
from triage.topics.kafka_compat import end_producer
from triage.topics.kafka_types import Producer
from triage.types import Channel

_OVERHEAD_BYTES = 256
_START_S = 3.0
_TIMEOUT_S = 15.0

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A validated record to be sent to its raw topic, with its id and its JSON."""

    channel: Channel
    id: str
    source: str | None
    payload: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole record, by which a repeated record is recognized.

        The same id with other content is a change, and is sent.
        """
        parts = (self.channel.encode(), (self.source or "").encode(), self.id.encode(), self.payload)
        return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


class Sender:
    """Sends records to the raw topics with one Kafka producer, and remembers the last `remember` records.

    It connects when first used, and again after an error from which a producer cannot recover. Close it at the end.
    Thread-safe.
    """

    def __init__(self, settings: KafkaSettings, remember: int) -> None:
        self._settings = settings.model_copy(update={"start_timeout_s": min(settings.start_timeout_s, _START_S)})
        self._remember = remember
        self._lock = threading.Lock()
        self._sent: OrderedDict[bytes, None] = OrderedDict()
        self._in_flight: dict[bytes, _Delivery] = {}
        self._producer: Producer | None = None
        self._limits: Mapping[Channel, int] = {}

    def send(self, records: Sequence[Outgoing], headers: Headers = ()) -> list[InvalidRecord | bool]:
        """Send records and wait until Kafka has acknowledged them, at most 15 s for each; returns a result for each.

        The result is True for a record that was sent, False for one that had been sent before, and InvalidRecord for
        one that is too large for its topic. If a record is already in flight, even from a call that timed out, its
        acknowledgement is awaited and it is not sent again. Raises Unavailable if any record was not acknowledged: the
        caller should then send all of them again, with the same ids.
        """
        producer = self._connected()
        results: list[InvalidRecord | bool] = []
        deliveries: list[_Delivery] = []
        for record in records:
            if len(record.payload) > (most := self._limits[record.channel] - _OVERHEAD_BYTES):
                said = f"the record has {len(record.payload)} bytes; its topic takes at most {most}"
                results.append(InvalidRecord("too_large", said))
                continue
            digest = record.digest
            with self._lock:
                known = digest in self._sent
                before = self._in_flight.get(digest)
                if new := not known and before is None:
                    before = self._in_flight[digest] = Future()
            results.append(new)
            if before is not None:
                deliveries.append(before)
                if new:
                    self._begin(producer, record, digest, before, headers)
        for delivery in deliveries:
            self._await(producer, delivery)
        return results

    def close(self) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            end_producer(producer, 3)

    def _begin(
        self, producer: Producer, record: Outgoing, digest: bytes, delivery: "_Delivery", headers: Headers
    ) -> None:
        topic = self._settings.topic(RAW_TOPICS[record.channel])
        try:
            key = record_key(record.channel, record.source, record.id)
            sent = producer.send(topic, value=record.payload, key=key, headers=list(headers))
        except Exception as error:
            self._delivered(digest, delivery, error)
            if isinstance(error, KafkaError):
                raise self._failed(producer, error) from error
            raise
        sent.add_callback(lambda _: self._delivered(digest, delivery))
        sent.add_errback(partial(self._delivered, digest, delivery))

    def _delivered(self, digest: bytes, delivery: "_Delivery", error: BaseException | None = None) -> None:
        with self._lock:
            if self._in_flight.get(digest) is delivery:
                del self._in_flight[digest]
            if error is None:
                self._sent[digest] = None
                if len(self._sent) > self._remember:
                    self._sent.popitem(last=False)
        if error is None:
            delivery.set_result(None)
        else:
            delivery.set_exception(error)

    def _await(self, producer: Producer, delivery: "_Delivery") -> None:
        try:
            delivery.result(timeout=_TIMEOUT_S)
        except TimeoutError:
            raise Unavailable("kafka", f"no acknowledgement within {_TIMEOUT_S:g} s") from None
        except KafkaError as error:
            raise self._failed(producer, error) from error

    def _failed(self, producer: Producer, error: KafkaError) -> TriageError:
        """Return the error to raise for an error of Kafka, and close the producer if it cannot recover from it."""
        if not isinstance(error, RetriableError):
            with self._lock:
                current = self._producer is producer
                if current:
                    self._producer = None
                    # Its callbacks may never be called for records in flight.
                    self._in_flight.clear()
            if current:
                end_producer(producer, 0)
        return Unavailable("kafka", str(translate(error)).removeprefix("kafka: "))

    def _connected(self) -> Producer:
        with self._lock:
            if self._producer is None:
                found = require_topics(self._settings, RAW_TOPICS.values())
                limits = {channel: found[name] for channel, name in RAW_TOPICS.items()}
                try:
                    self._producer = make_producer(self._settings, max(limits.values()))
                except KafkaError as error:
                    raise translate(error) from error
                self._limits = limits
            return self._producer


_Delivery = Future[None]
"""The delivery of one record: done once Kafka has acknowledged it, or failed."""
