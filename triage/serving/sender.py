"""Records into the raw topics, known to be there before the caller hears of it; one sent again is not doubled."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka.errors import KafkaError

from triage.config import KafkaSettings
from triage.errors import InvalidRecord, TriageError, Unavailable
from triage.sources.ingest import make_producer
from triage.topics import require_topics, translate
from triage.topics.definitions import RAW_TOPICS
from triage.types import Channel

if TYPE_CHECKING:
    from kafka import KafkaProducer

_OVERHEAD_BYTES = 256
_START_S = 3.0
_TIMEOUT_S = 15.0

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A validated record; `id` is its own, by which it is known."""

    channel: Channel
    id: str
    source: str | None
    payload: bytes

    @property
    def digest(self) -> bytes:
        """Of everything that the record is: the same id with other content is a change, and is sent."""
        parts = (self.channel.encode(), (self.source or "").encode(), self.id.encode(), self.payload)
        return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


class Sender:
    """Thread-safe; connects when it is first used, and again after a failure. Close it."""

    def __init__(self, settings: KafkaSettings, remember: int) -> None:
        self._settings = settings.model_copy(update={"start_timeout_s": min(settings.start_timeout_s, _START_S)})
        self._remember = remember
        self._lock = threading.Lock()
        self._sent: OrderedDict[bytes, None] = OrderedDict()
        self._producer: KafkaProducer | None = None
        self._limits: Mapping[Channel, int] = {}

    def send(self, records: Sequence[Outgoing], headers: Headers = ()) -> list[InvalidRecord | bool]:
        """For each record True once Kafka has it, False if it had it already, or why it does not fit its topic.

        Raises Unavailable if any of them was not acknowledged; all are to be sent again then, under the same ids.
        """
        producer = self._connected()
        results: list[InvalidRecord | bool] = []
        futures = []
        for record in records:
            digest = record.digest
            with self._lock:
                known = digest in self._sent
            if known:
                results.append(False)
            elif len(record.payload) > (most := self._limits[record.channel] - _OVERHEAD_BYTES):
                said = f"the record has {len(record.payload)} bytes; its topic takes at most {most}"
                results.append(InvalidRecord("too_large", said))
            else:
                results.append(True)
                futures.append((digest, self._begin(producer, record, headers)))
        self._await(futures)
        return results

    def close(self) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=3)

    def _begin(self, producer: "KafkaProducer", record: Outgoing, headers: Headers) -> Any:
        topic = self._settings.topic(RAW_TOPICS[record.channel])
        try:
            return producer.send(topic, value=record.payload, headers=list(headers))
        except KafkaError as error:
            raise self._failed(error) from error

    def _await(self, futures: Sequence[tuple[bytes, Any]]) -> None:
        for digest, future in futures:
            try:
                future.get(timeout=_TIMEOUT_S)
            except KafkaError as error:
                raise self._failed(error) from error
            with self._lock:
                self._sent[digest] = None
                if len(self._sent) > self._remember:
                    self._sent.popitem(last=False)

    def _failed(self, error: KafkaError) -> TriageError:
        return Unavailable("kafka", str(translate(error)).removeprefix("kafka: "))

    def _connected(self) -> "KafkaProducer":
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
