"""Dead letters: what a refused record leaves behind, without personal data."""

import hashlib

from triage import __version__
from triage.clock import Clock, rfc3339
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Incoming
from triage.redaction import Redactor
from triage.schemas.deadletter import DeadLetter

_PAYLOAD_CHARS = 8_192
_HEADER_CHARS = 256


class DeadLetterOffice:
    """Writes dead letters. The payload is redacted; undecodable bytes are described by length and SHA-256 only."""

    def __init__(self, redactor: Redactor, clock: Clock, metrics: Metrics) -> None:
        self._redactor = redactor
        self._clock = clock
        self._metrics = metrics

    def letter(self, message: Incoming, invalid: InvalidRecord, *, attempts: int = 1) -> DeadLetter:
        self._metrics.records_dead_lettered.labels(invalid.stage, invalid.reason).inc()
        topic, partition, offset = message.position
        return DeadLetter(
            stage=invalid.stage,
            reason=invalid.reason,
            message=self._redactor.redact_text(str(invalid)),
            field=invalid.field,
            topic=topic,
            partition=partition,
            offset=offset,
            timestamp_ms=message.timestamp_ms,
            failed_at=rfc3339(self._clock.now_ms()),
            attempts=attempts,
            pipeline=__version__,
            payload=self._payload(message.value),
            payload_bytes=len(message.value),
            headers={
                self._redactor.redact_text(name): self._redactor.redact_text(value.decode("utf-8", "replace"))[
                    :_HEADER_CHARS
                ]
                for name, value in message.headers
                if value is not None
            },
        )

    def _payload(self, value: bytes) -> str:
        try:
            # Cut before redacting bounds the work; a cut in the middle of a number could leave half of it readable,
            # so the last characters after the cut go too.
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return f"<{len(value)} bytes that are not UTF-8, SHA-256 {hashlib.sha256(value).hexdigest()}>"
        if len(text) <= _PAYLOAD_CHARS:
            return self._redactor.redact_json(text)
        head = text[:_PAYLOAD_CHARS].rsplit(" ", 1)[0]
        return self._redactor.redact_json(head) + f" <cut at {len(head)} of {len(text)} characters>"
