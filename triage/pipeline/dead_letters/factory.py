"""Builds dead letters from refused records, without personal data."""

import hashlib

from triage import __version__
from triage.clock import Clock, rfc3339
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import ConsumedMessage
from triage.pipeline.dead_letters.origin_headers import origin_of
from triage.redaction import Redactor
from triage.schemas.deadletter import SCHEMA_VERSION, DeadLetter

_PAYLOAD_CHARS = 8_192
_HEADER_CHARS = 256
_HEADER_NAME_CHARS = 128
_MAX_HEADERS = 50


class DeadLetterFactory:
    """Builds the dead letters of refused records.

    The payload is redacted; bytes that cannot be decoded are described only by length and SHA-256.
    """

    def __init__(self, redactor: Redactor, clock: Clock, metrics: Metrics) -> None:
        self._redactor = redactor
        self._clock = clock
        self._metrics = metrics

    def create(self, message: ConsumedMessage, invalid: InvalidRecord, *, attempts: int = 1) -> DeadLetter:
        """Build the dead letter for a message that was refused with the error `invalid`, and count it in the metrics.

        `attempts` is how often it was processed since it was last written to its topic; for a replayed message the
        attempts before the replay are added.
        """
        self._metrics.records_dead_lettered.labels(invalid.stage, invalid.reason).inc()
        topic, partition, offset = message.position
        writer = self._redactor.writer_of(message.value)
        author = writer[1] if writer else None
        try:
            origin = origin_of(message)
        except InvalidRecord:
            origin = None
        return DeadLetter(
            stage=invalid.stage,
            reason=invalid.reason,
            message=self._redactor.redact_text(str(invalid), author),
            field=invalid.field,
            topic=topic,
            partition=partition,
            offset=offset,
            timestamp_ms=message.timestamp_ms,
            failed_at=rfc3339(self._clock.now_ms()),
            attempts=attempts + (origin.attempts if origin else 0),
            pipeline=__version__,
            payload=self._payload(message.value, author),
            payload_bytes=len(message.value),
            headers=self._headers(message, author),
            schema_version=SCHEMA_VERSION,
            error=type(invalid.__cause__ or invalid).__name__,
            original=str(origin.position) if origin else None,
            author_id=self._redactor.author_hash(*writer) if writer else None,
        )

    def _headers(self, message: ConsumedMessage, author: str | None) -> dict[str, str]:
        """Return the message's headers, redacted by the rules for attributes and cut to a limited size.

        The rules for attributes look at the names too: a header's name can tell more than its value.
        """
        named = {
            _head(name): _head(value[: 4 * _PAYLOAD_CHARS].decode("utf-8", "replace"))
            for name, value in message.headers[:_MAX_HEADERS]
            if value is not None
        }
        redacted = self._redactor.redact_attributes(named, author)
        kept = {name[:_HEADER_NAME_CHARS]: str(value)[:_HEADER_CHARS] for name, value in redacted.items()}
        if len(message.headers) > _MAX_HEADERS:
            kept["<cut>"] = f"the first {_MAX_HEADERS} of {len(message.headers)} headers"
        return kept

    def _payload(self, value: bytes, author: str | None) -> str:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return f"<{len(value)} bytes that are not UTF-8, SHA-256 {hashlib.sha256(value).hexdigest()}>"
        if len(text) <= _PAYLOAD_CHARS:
            return self._redactor.redact_json(text, author)
        head = _head(text)
        return self._redactor.redact_json(head, author) + f" <cut at {len(head)} of {len(text)} characters>"


def _head(text: str) -> str:
    """Return the first 8,192 characters of a text, cut at a space.

    Half of a number at the cut would not be recognized and redacted.
    """
    return text if len(text) <= _PAYLOAD_CHARS else text[:_PAYLOAD_CHARS].rsplit(" ", 1)[0]
