"""Stage 1: converts bytes of the raw topics to validated records or dead letters."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, tzinfo

from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, ValidatedRecord
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.dead_letters.origin_headers import origin_of
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.schemas.event_time import event_time_ms, not_in_future
from triage.schemas.raw import RawRecord, parse_raw
from triage.schemas.version import named_version
from triage.types import Channel


class DecodeStage:
    """Validates raw messages against the raw schema, and determines their event time.

    The event time is `created_at`, or the broker's timestamp if that is missing. Invalid messages become dead letters.
    Messages of erased authors are removed from the batch, without a dead letter.
    """

    name = "decode"

    def __init__(
        self,
        settings: WorkerSettings,
        channels: Mapping[str, Channel],
        dead_letter_factory: DeadLetterFactory,
        clock: Clock,
        metrics: Metrics,
        erased_authors: ErasedAuthors | None = None,
    ) -> None:
        self._settings = settings
        self._max_ahead_ms = settings.max_ahead_s * 1000
        self._channels = channels
        self._dead_letter_factory = dead_letter_factory
        self._clock = clock
        self._metrics = metrics
        self._erased_authors = erased_authors

    def process(self, batch: Batch) -> None:
        validated, dead_letters = [], []
        for topic, count in Counter(message.position.topic for message in batch.consumed).items():
            self._metrics.records_consumed.labels(self._channels[topic]).inc(count)
        for message in batch.consumed:
            try:
                record = self._validate(message)
            except InvalidRecord as invalid:
                if not self._is_erased_payload(message):
                    dead_letters.append(self._dead_letter_factory.create(message, invalid))
            else:
                if not self._is_erased(record):
                    validated.append(record)
        self._metrics.records_forgotten.inc(len(batch.consumed) - len(validated) - len(dead_letters))
        batch.validated, batch.dead_letters = validated, dead_letters

    def _is_erased(self, record: ValidatedRecord) -> bool:
        erased = self._erased_authors
        return erased is not None and erased.contains_author_of(record.raw, record.broker_ms)

    def _is_erased_payload(self, message: ConsumedMessage) -> bool:
        erased = self._erased_authors
        return erased is not None and erased.contains_author_of_payload(message.value, message.timestamp_ms)

    def _validate(self, message: ConsumedMessage) -> ValidatedRecord:
        channel = self._channels[message.position.topic]
        origin = origin_of(message) if message.headers else None
        raw = parse_raw(message.value, max_text_chars=self._settings.max_text_chars)
        if raw.unknown_fields:
            self._metrics.unknown_fields.inc(raw.unknown_fields)
        broker_ms = origin.timestamp_ms if origin else message.timestamp_ms
        zone = self._settings.zone_of(channel, raw.source)
        event_ms = event_time_of(raw, self._clock, self._settings.max_future_hours, default_ms=broker_ms, zone=zone)
        implausible = 0 < self._max_ahead_ms < event_ms - broker_ms
        if implausible:
            self._metrics.times_implausible.labels(channel).inc()
        first_position = origin.position if origin else message.position
        return ValidatedRecord(
            raw,
            channel,
            event_ms,
            raw.id or str(first_position),
            message.position,
            broker_ms,
            origin.position if origin else None,
            None if raw.version is None else named_version(raw.version),
            implausible,
        )


def event_time_of(
    raw: RawRecord, clock: Clock, max_future_hours: float, *, default_ms: int, zone: tzinfo | None = None
) -> int:
    """Return the event time of a record in ms since the epoch: `created_at`, or `default_ms` if it has none.

    A time without an offset is in `zone`, by default UTC. Raises InvalidRecord if the time cannot be parsed, or is more
    than `max_future_hours` ahead of the clock.
    """
    event_ms = event_time_ms(raw.created_at, zone or UTC)
    if event_ms is None:
        return default_ms
    return not_in_future(event_ms, clock.now_ms(), max_future_hours)
