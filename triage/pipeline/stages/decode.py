"""Stage 1: bytes of a raw topic to validated records, or dead letters."""

from collections import Counter
from collections.abc import Mapping

from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, ValidatedRecord
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.dead_letters.origin_headers import origin_of
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.schemas.raw import RawRecord, event_time_ms, not_in_future, parse_raw
from triage.types import Channel


class DecodeStage:
    """Validates against the raw schema and fixes the event time: `created_at`, else the broker's timestamp.

    What an author wrote who was forgotten since leaves the batch here, as neither accepted nor dead.
    """

    name = "decode"

    def __init__(
        self,
        settings: WorkerSettings,
        channels: Mapping[str, Channel],
        office: DeadLetterFactory,
        clock: Clock,
        metrics: Metrics,
        forgotten: ErasedAuthors | None = None,
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._office = office
        self._clock = clock
        self._metrics = metrics
        self._forgotten = forgotten

    def process(self, batch: Batch) -> None:
        accepted, dead = [], []
        for topic, count in Counter(message.position.topic for message in batch.incoming).items():
            self._metrics.records_consumed.labels(self._channels[topic]).inc(count)
        for message in batch.incoming:
            try:
                item = self._accept(message)
            except InvalidRecord as invalid:
                if not self._passed_over(message):
                    dead.append(self._office.letter(message, invalid))
            else:
                if self._forgotten is None or not self._forgotten.wrote(item.raw, item.broker_ms):
                    accepted.append(item)
        self._metrics.records_forgotten.inc(len(batch.incoming) - len(accepted) - len(dead))
        batch.accepted, batch.dead = accepted, dead

    def _passed_over(self, message: ConsumedMessage) -> bool:
        return self._forgotten is not None and self._forgotten.wrote_payload(message.value, message.timestamp_ms)

    def _accept(self, message: ConsumedMessage) -> ValidatedRecord:
        channel = self._channels[message.position.topic]
        origin = origin_of(message) if message.headers else None
        raw = parse_raw(message.value, max_text_chars=self._settings.max_text_chars)
        if raw.unknown_fields:
            self._metrics.unknown_fields.inc(raw.unknown_fields)
        broker_ms = origin.timestamp_ms if origin else message.timestamp_ms
        event_ms = event_time_of(raw, self._clock, self._settings.max_future_hours, default_ms=broker_ms)
        known_as = origin.position if origin else message.position
        return ValidatedRecord(
            raw,
            channel,
            event_ms,
            raw.id or str(known_as),
            message.position,
            broker_ms,
            origin.position if origin else None,
        )


def event_time_of(raw: RawRecord, clock: Clock, max_future_hours: float, *, default_ms: int) -> int:
    """Event time of a record in ms since the epoch. Raises InvalidRecord if it lies too far ahead of the clock."""
    event_ms = event_time_ms(raw.created_at)
    if event_ms is None:
        return default_ms
    return not_in_future(event_ms, clock.now_ms(), max_future_hours)
