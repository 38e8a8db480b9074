"""Stage 2: redact, ask the model, apply the rules. The same code serves the worker and `triage enrich`."""

from collections.abc import Sequence

import msgspec

from triage import __version__
from triage.clock import Clock, rfc3339
from triage.config import WorkerSettings
from triage.inference.language import identify
from triage.metrics import Metrics
from triage.pipeline.attributes import bounded_attributes
from triage.pipeline.batch import Accepted, Batch, Enriched
from triage.redaction import Redacted, Redactor
from triage.rules import Facts, RuleSet
from triage.schemas.enriched import (
    EnrichedRecord,
    Entity,
    Event,
    Intent,
    IntentScore,
    Sentiment,
    Versions,
    document_id,
)
from triage.types import Flag, Model, Prediction, Span

_TOP_INTENTS = 3
_DIGITS = 4


class Enricher:
    """Turns accepted raw records into enriched ones, a batch at a time."""

    def __init__(
        self, model: Model, redactor: Redactor, rules: RuleSet, settings: WorkerSettings, clock: Clock
    ) -> None:
        self._model = model
        self._redactor = redactor
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._versions = Versions(
            pipeline=__version__, model=model.version, rules=rules.version, taxonomy=model.taxonomy
        )

    @property
    def versions(self) -> Versions:
        return self._versions

    def enrich(self, accepted: Sequence[Accepted]) -> list[Enriched]:
        """One enriched record for each accepted one, in order. Raises ModelError if the runtime fails."""
        redacted = [self._redactor.redact(item.raw.text) for item in accepted]
        predictions = self._model.predict([item.text for item in redacted])
        ingested = rfc3339(self._clock.now_ms())
        return [
            self._assemble(item, text, prediction, ingested)
            for item, text, prediction in zip(accepted, redacted, predictions, strict=True)
        ]

    def _assemble(self, item: Accepted, redacted: Redacted, prediction: Prediction, ingested: str) -> Enriched:
        raw, text = item.raw, redacted.text
        language, known = identify(text)
        if not known and raw.language:
            language = raw.language.split("-")[0].lower()[:8]
            known = language in self._model.languages
        attributes, dropped = bounded_attributes(
            self._redactor.redact_attributes(raw.attributes),
            self._settings.max_attributes,
            self._settings.max_attribute_bytes,
        )
        flags = [
            flag.value
            for flag, raised in (
                (Flag.TRUNCATED, raw.truncated or prediction.truncated),
                (Flag.LOW_CONFIDENCE, prediction.low_confidence),
                (Flag.UNKNOWN_LANGUAGE, not known or language not in self._model.languages),
                (Flag.REDACTED, redacted.changed),
                (Flag.ATTRIBUTES_DROPPED, dropped),
            )
            if raised
        ]
        sentiment = _sentiment(prediction)
        label, confidence = prediction.intents[0]
        entities = _entities(text, redacted.spans, prediction.spans)
        clean = {name: self._clean(getattr(raw, name)) for name in ("source", "brand", "product", "region", "url")}
        decision = self._rules.decide(
            Facts(
                text=text,
                channel=item.channel,
                language=language,
                intent=label,
                intent_confidence=confidence,
                sentiment=sentiment.label,
                sentiment_score=sentiment.score,
                flags=frozenset(flags),
                entities=frozenset(entity.label for entity in entities),
                brand=clean["brand"],
                product=clean["product"],
                region=clean["region"],
                source=clean["source"],
                rating=raw.rating,
            )
        )
        record = EnrichedRecord(
            timestamp=rfc3339(item.event_ms),
            event=Event(id=item.event_id, ingested=ingested),
            channel=item.channel,
            text=text,
            language=language,
            sentiment=sentiment,
            intent=Intent(
                label=label,
                confidence=round(confidence, _DIGITS),
                top=[IntentScore(name, round(p, _DIGITS)) for name, p in prediction.intents[:_TOP_INTENTS]],
            ),
            entities=entities,
            severity=decision.severity,
            route=decision.route,
            flags=flags,
            versions=self._versions,
            author_id=self._redactor.author_hash(raw.source, raw.author_id) if raw.author_id else None,
            rating=raw.rating,
            attributes=attributes,
            **clean,
        )
        identity = document_id(item.channel, raw.source, raw.id, item.position)
        return Enriched(record, identity, item, msgspec.json.encode(record))

    def _clean(self, value: str | None) -> str | None:
        return None if value is None else self._redactor.redact_text(value)


class EnrichStage:
    """The enricher as a stage."""

    name = "enrich"

    def __init__(self, enricher: Enricher, metrics: Metrics) -> None:
        self._enricher = enricher
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        batch.enriched = self._enricher.enrich(batch.accepted) if batch.accepted else []
        for item in batch.enriched:
            record = item.record
            self._metrics.intents.labels(record.intent.label).inc()
            self._metrics.sentiments.labels(record.sentiment.label).inc()
            if Flag.LOW_CONFIDENCE in record.flags:
                self._metrics.low_confidence.inc()


def _sentiment(prediction: Prediction) -> Sentiment:
    label = max(prediction.sentiment, key=prediction.sentiment.__getitem__)
    return Sentiment(
        label=label,
        score=round(prediction.sentiment["positive"] - prediction.sentiment["negative"], _DIGITS),
        confidence=round(prediction.sentiment[label], _DIGITS),
    )


def _entities(text: str, rule_spans: Sequence[Span], model_spans: Sequence[Span]) -> list[Entity]:
    """Both kinds in order; where they overlap the deterministic recognizer wins."""
    spans = list(rule_spans)
    spans += [m for m in model_spans if all(m.end <= r.start or m.start >= r.end for r in rule_spans)]
    return [
        Entity(text[s.start : s.end], s.label, s.start, s.end, round(s.confidence, _DIGITS), s.source)
        for s in sorted(spans, key=lambda span: span.start)
    ]
