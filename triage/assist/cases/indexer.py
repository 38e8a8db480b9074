"""Follows the topic of resolutions and keeps the index of cases up to date."""

from collections.abc import Sequence

from elasticsearch import Elasticsearch

from triage.assist.encoder.base import SentenceEncoder
from triage.clock import parse_rfc3339
from triage.config import ElasticsearchSettings, KafkaSettings
from triage.elastic import cases as store
from triage.elastic.explore import find_record
from triage.errors import NotUnderstood
from triage.inference.language import identify
from triage.logging import get_logger
from triage.redaction import Redactor
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.message import MessageDecoder
from triage.schemas.resolution import SOLVED, Case, Resolution
from triage.topics.follower import TopicFollower
from triage.topics.kafka_types import ConsumerRecord
from triage.topics.scan import log_unreadable

log = get_logger("triage.cases")

TOPIC = "resolutions"
_BATCH = 64


class CaseIndexer:
    """Joins resolutions to their records and stores them as cases; what is stored already is not encoded again.

    The topic may be read again from its start at any time. A resolution of a record that the index does not have is
    left out, unless it brings its text: the record was erased, or has not arrived yet, and comes with the next reading.
    """

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        redactor: Redactor,
        encoder: SentenceEncoder | None,
    ) -> None:
        self._client, self._settings = client, settings
        self._redactor, self._encoder = redactor, encoder
        self._decoder: MessageDecoder[Resolution] = MessageDecoder(Resolution)
        self.written = 0
        self.waiting = 0  # resolutions whose record the index does not have

    def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Store the resolutions in these messages, and delete the cases of those without a value.

        Raises Unavailable, AccessDenied, DependencyError, ModelError.
        """
        newest: dict[str, Resolution | None] = {}
        for record in records:
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                newest[key] = None
                continue
            try:
                found = self._decoder.decode(record.value)
                parse_rfc3339(found.at)
            except (NotUnderstood, ValueError) as error:
                log.warning("resolution_not_understood", error=str(error))
                continue
            newest[found.record] = found
        gone = [record for record, found in newest.items() if found is None]
        store.delete_cases(self._client, self._settings, gone)
        self.store([found for found in newest.values() if found is not None])

    def store(self, resolutions: Sequence[Resolution]) -> None:
        """Store resolutions whose record the index has."""
        for start in range(0, len(resolutions), _BATCH):
            batch = resolutions[start : start + _BATCH]
            known = store.stored_times(self._client, self._settings, [each.record for each in batch])
            new = [each for each in batch if not self._is_stored(each, known.get(each.record))]
            cases = [case for each in new if (case := self._joined(each)) is not None]
            if self._encoder is not None and cases:
                vectors = self._encoder.encode_questions([each.text for each in cases])
                for case, vector in zip(cases, vectors, strict=True):
                    case.encoder, case.vector = self._encoder.version, vector.tolist()
            store.write_cases(self._client, self._settings, cases)
            self.written += len(cases)
            self.waiting += len(new) - len(cases)

    def _is_stored(self, resolution: Resolution, known: tuple[int, str | None] | None) -> bool:
        if known is None:
            return False
        at_ms, encoder = known
        encoded = self._encoder is None or encoder == self._encoder.version
        return at_ms > parse_rfc3339(resolution.at) or (at_ms == parse_rfc3339(resolution.at) and encoded)

    def _joined(self, resolution: Resolution) -> Case | None:
        hit = find_record(self._client, self._settings, resolution.record)
        if hit is not None:
            return self._case(resolution, hit.record)
        return self._of_ticket(resolution) if resolution.text else None

    def _of_ticket(self, resolution: Resolution) -> Case:
        text = self._redactor.redact_text(resolution.text)
        return Case(
            record=resolution.record,
            answer=self._redactor.redact_text(resolution.answer),
            resolution=resolution.resolution,
            outcome=resolution.outcome,
            ended=resolution.outcome in SOLVED,
            at=resolution.at,
            text=text,
            language=resolution.language or identify(text).code,
            channel="",
            intent=resolution.intent,
            sentiment="",
            recorded_at=resolution.at,
            actor=resolution.actor,
        )

    def _case(self, resolution: Resolution, record: EnrichedRecord) -> Case:
        return Case(
            record=resolution.record,
            # Redacted where it came in; messages that others wrote into the topic are not.
            answer=self._redactor.redact_text(resolution.answer),
            resolution=resolution.resolution,
            outcome=resolution.outcome,
            ended=resolution.outcome in SOLVED,
            at=resolution.at,
            text=record.parts.joined(record.text),
            language=record.language,
            channel=record.channel.value,
            intent=record.intent.label,
            sentiment=record.sentiment.label,
            recorded_at=record.timestamp,
            product=record.product,
            brand=record.brand,
            author_id=record.author_id,
            actor=resolution.actor,
        )


def follow_resolutions(kafka: KafkaSettings, indexer: CaseIndexer) -> TopicFollower:
    """A follower, not started yet, that passes the topic of resolutions to the indexer."""
    # A batch that can't be read costs its own cases, not those after it.
    return TopicFollower(kafka, TOPIC, indexer.take, unreadable=log_unreadable)
