"""Stage 1: bytes of a raw topic to validated records, or dead letters."""

from collections.abc import Mapping

from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Accepted, Batch, Incoming
from triage.pipeline.deadletters import DeadLetterOffice
from triage.schemas.raw import RawRecord, event_time_ms, not_in_future, parse_raw
from triage.types import Channel


class DecodeStage:
    """Validates against the raw schema and fixes the event time: `created_at`, else the broker's timestamp."""

    name = "decode"

    def __init__(
        self,
        settings: WorkerSettings,
        channels: Mapping[str, Channel],
        office: DeadLetterOffice,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._office = office
        self._clock = clock
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        accepted, dead = [], []
        for message in batch.incoming:
            try:
                accepted.append(self._accept(message))
            except InvalidRecord as invalid:
                dead.append(self._office.letter(message, invalid))
        batch.accepted, batch.dead = accepted, dead

    def _accept(self, message: Incoming) -> Accepted:
        channel = self._channels[message.position.topic]
        self._metrics.records_consumed.labels(channel).inc()
        raw = parse_raw(message.value, max_text_chars=self._settings.max_text_chars)
        if raw.unknown_fields:
            self._metrics.unknown_fields.inc(raw.unknown_fields)
        event_ms = event_time_of(raw, self._clock, self._settings.max_future_hours, default_ms=message.timestamp_ms)
        return Accepted(raw, channel, event_ms, raw.id or str(message.position), message.position, message.timestamp_ms)


def event_time_of(raw: RawRecord, clock: Clock, max_future_hours: float, *, default_ms: int) -> int:
    """Event time of a record in ms since the epoch. Raises InvalidRecord if it lies too far ahead of the clock."""
    event_ms = event_time_ms(raw.created_at)
    if event_ms is None:
        return default_ms
    return not_in_future(event_ms, clock.now_ms(), max_future_hours)
