"""Sends resolutions to their topic, redacted, and waits for Kafka's acknowledgement."""

import threading
from collections.abc import Sequence

import msgspec
from kafka.errors import KafkaError, RetriableError

from triage.assist.cases.indexer import TOPIC
from triage.assist.cases.reading import ZoneOf
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.redaction import Redactor
from triage.schemas.resolution import Resolution
from triage.sources.ingest import make_producer
from triage.topics import require_topics, translate
from triage.topics.kafka_compat import end_producer
from triage.topics.kafka_types import Producer

_START_S = 3.0
_TIMEOUT_S = 15.0


class ResolutionSender:
    """Sends resolutions with one Kafka producer, which it opens at the first use. Close it at the end. Thread-safe."""

    def __init__(self, settings: KafkaSettings, redactor: Redactor, zone_of: ZoneOf | None = None) -> None:
        self._settings = settings.model_copy(update={"start_timeout_s": min(settings.start_timeout_s, _START_S)})
        self._redactor = redactor
        self.zone_of = zone_of
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def send(self, resolutions: Sequence[Resolution]) -> None:
        """Redact the answers in the resolutions and send them to their topic.

        Raises Unavailable unless all were acknowledged: send all again then.
        """
        topic = self._settings.topic(TOPIC)
        producer = self._connected()
        try:
            futures = [
                producer.send(topic, key=each.record.encode(), value=msgspec.json.encode(self._redacted(each)))
                for each in resolutions
            ]
            for future in futures:
                future.get(timeout=_TIMEOUT_S)
        except (KafkaError, TimeoutError) as error:
            if not isinstance(error, RetriableError):
                self.close()
            said = translate(error) if isinstance(error, KafkaError) else f"no acknowledgement within {_TIMEOUT_S:g} s"
            raise Unavailable("kafka", str(said).removeprefix("kafka: ")) from error

    def close(self) -> None:
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is not None:
            end_producer(producer, 3)

    def _redacted(self, resolution: Resolution) -> Resolution:
        answer, text = (self._redactor.redact_text(each) for each in (resolution.answer, resolution.text))
        return msgspec.structs.replace(resolution, answer=answer, text=text)

    def _connected(self) -> Producer:
        with self._lock:
            if self._producer is None:
                limits = require_topics(self._settings, [TOPIC])
                try:
                    self._producer = make_producer(self._settings, limits[TOPIC])
                except KafkaError as error:
                    raise translate(error) from error
            return self._producer
