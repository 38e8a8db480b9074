"""Stage 2: enriches records by redaction, model and rules. The worker, the API and `triage enrich` use this code."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec.structs import asdict

from triage import __version__
from triage.body import Body, plain_text, read_body
from triage.clock import Clock, rfc3339
from triage.config import WorkerSettings
from triage.inference.explain import Explainable, explain_record
from triage.inference.language import Language, identify
from triage.inference.politeness import with_demand
from triage.inference.ratings import with_rating
from triage.metrics import Metrics, observe_all
from triage.pipeline.batch import Batch, Enriched, ValidatedRecord
from triage.pipeline.stages.prediction_cache import PredictionCache
from triage.redaction import Redacted, Redactor
from triage.redaction.names import redact_names
from triage.risk.model import RiskModel
from triage.rules import RuleSet, facts_of
from triage.rules.evidence import explain_rules
from triage.schemas.enriched import (
    Aspect,
    EnrichedRecord,
    Entity,
    Event,
    Intent,
    IntentScore,
    OwnIntent,
    Risk,
    Route,
    Sentiment,
    Severity,
    TextRange,
    Versions,
    document_id,
)
from triage.schemas.explanation import ExplainedRecord, Explanation
from triage.schemas.raw import Scalar
from triage.types import Flag, Model, Prediction, SentimentLabel, Span, TextParts

_TOP_INTENTS = 3
_DIGITS = 4
_LONG_NUMBER = 1e6
_CACHED_VALUES = 4_096
_MAX_ENTITIES = 500
_PRIMARY_SUBTAG = re.compile(r"[a-z]{2,8}")
# The rules decide from the record, so it is built before severity and route are known.
_UNDECIDED_SEVERITY = Severity("", [])
_UNDECIDED_ROUTE = Route("", [])
_TRUNCATED, _LOW_CONFIDENCE, _UNKNOWN_LANGUAGE, _REDACTED, _ATTRIBUTES_DROPPED, _ENTITIES_DROPPED = (
    flag.value
    for flag in (
        Flag.TRUNCATED,
        Flag.LOW_CONFIDENCE,
        Flag.UNKNOWN_LANGUAGE,
        Flag.REDACTED,
        Flag.ATTRIBUTES_DROPPED,
        Flag.ENTITIES_DROPPED,
    )
)
_BODY_FLAGS = (Flag.QUOTED.value, Flag.AUTOMATIC.value, Flag.NO_TEXT.value)
# The intent of a text that no person wrote, if the taxonomy has it.
_OTHER = "other"
_encode = msgspec.json.Encoder().encode


Watcher = Callable[[str, Sequence[str], Sequence[Prediction]], None]
"""Called with the model's version, redacted texts and their predictions; must neither block nor raise."""


OwnIntents = Callable[[Sequence[str]], list[list[OwnIntent]]]
"""Returns the operator's own intents that each text resembles, best first. Raises ModelError."""


class ActiveModel(NamedTuple):
    """The model, rules and risk models in use, and the versions that are stored in the records enriched with them."""

    model: Model
    rules: RuleSet
    versions: Versions
    risks: Sequence[RiskModel] = ()


class Enricher:
    """Converts validated raw records to enriched ones, a batch at a time."""

    def __init__(
        self,
        model: Model,
        redactor: Redactor,
        rules: RuleSet,
        settings: WorkerSettings,
        clock: Clock,
        watcher: Watcher | None = None,
        region_name: Callable[[str], str] | None = None,
        metrics: Metrics | None = None,
        risks: Sequence[RiskModel] = (),
        own_intents: OwnIntents | None = None,
    ) -> None:
        self._active = _activate(model, rules, risks)
        self._own_intents = own_intents
        self._redactor = redactor
        # The same sources, brands, products and regions come again and again.
        self._redact_value = lru_cache(_CACHED_VALUES)(redactor.redact_text)
        self._settings = settings
        self._predictions = PredictionCache(settings.cached_predictions, metrics)
        self._clock = clock
        self._watcher = watcher
        self._region_name = region_name

    @property
    def active(self) -> ActiveModel:
        return self._active

    @property
    def versions(self) -> Versions:
        return self._active.versions

    def replace(
        self,
        *,
        model: Model | None = None,
        rules: RuleSet | None = None,
        risks: Sequence[RiskModel] | None = None,
    ) -> None:
        """Use the given model, rules or risk models from the next batch on.

        A batch is always enriched by one model and one set of rules.
        """
        active = self._active
        self._active = _activate(model or active.model, rules or active.rules, active.risks if risks is None else risks)

    def enrich(self, records: Sequence[ValidatedRecord]) -> list[Enriched]:
        """Return one enriched record for each validated one, in order. Raises ModelError if inference fails."""
        active = self._active
        plain = [plain_text(item.raw.text) for item in records]
        limit = self._settings.max_text_chars
        redacted = self._redactor.redact_all([text[:limit] for text in plain], [item.raw.author_id for item in records])
        bodies = [read_body(item.text) for item in redacted]
        texts = [body.parts.joined(item.text) for item, body in zip(redacted, bodies, strict=True)]
        predictions = self._predictions.predict(active.model, texts)
        if self._watcher:
            self._watcher(active.model.version, texts, predictions)
        # One step for all records after the other: the code and tables of a step stay in the processor's cache.
        languages = [identify(text) for text in texts]
        rated = [
            self._rated(body, prediction, text, item.raw.rating)
            for item, body, prediction, text in zip(records, bodies, predictions, texts, strict=True)
        ]
        ingested = rfc3339(self._clock.now_ms())
        assembled = [
            self._assemble(active, item, text, body, prediction, language, ingested, cut=len(whole) > limit)
            for item, whole, text, body, prediction, language in zip(
                records, plain, redacted, bodies, rated, languages, strict=True
            )
        ]
        if self._redactor.names:
            assembled = self._without_names(active, assembled, predictions)
        self._add_own(active, assembled)
        for record in assembled:
            record.severity, record.route = active.rules.decide(facts_of(record))
        return [_enriched(item, record) for item, record in zip(records, assembled, strict=True)]

    def _add_own(self, active: ActiveModel, records: Sequence[EnrichedRecord]) -> None:
        """Add risk scores and own intents, from the text as it is stored, to records that a person wrote."""
        if not active.risks and self._own_intents is None:
            return
        written = [record for record in records if record.written]
        for record in written if active.risks else ():
            record.risk_scores = [risk.score(record) for risk in active.risks]
        if self._own_intents is not None and written:
            texts = [record.parts.joined(record.text) for record in written]
            for record, found in zip(written, self._own_intents(texts), strict=True):
                record.own_intents = found

    def _without_names(
        self, active: ActiveModel, records: Sequence[EnrichedRecord], predictions: Sequence[Prediction]
    ) -> list[EnrichedRecord]:
        # A placeholder can be longer than the name, and an address can stand where no entity was.
        return [self._limited(record) for record in redact_names(active.model, records, predictions)]

    def _limited(self, record: EnrichedRecord) -> EnrichedRecord:
        limits = self._settings.max_attributes, self._settings.max_attribute_bytes
        record.attributes, dropped = limit_attributes(record.attributes, *limits)
        if dropped and _ATTRIBUTES_DROPPED not in record.flags:
            record.flags.append(_ATTRIBUTES_DROPPED)
        if len(record.entities) > _MAX_ENTITIES:
            del record.entities[_MAX_ENTITIES:]
            if _ENTITIES_DROPPED not in record.flags:
                record.flags.append(_ENTITIES_DROPPED)
        return record

    def _assemble(
        self,
        active: ActiveModel,
        item: ValidatedRecord,
        redacted: Redacted,
        body: Body,
        prediction: Prediction,
        identified: Language,
        ingested: str,
        *,
        cut: bool,
    ) -> EnrichedRecord:
        """Build the enriched record, with placeholders for severity and route, which the rules decide from it."""
        raw, text, parts = item.raw, redacted.text, body.parts
        language, known = identified
        if not known and raw.language:
            # A source's language field may hold anything; a primary subtag (RFC 5646) can't hold personal data.
            primary = raw.language.split("-")[0].lower()
            language = primary if _PRIMARY_SUBTAG.fullmatch(primary) else language
            known = language in active.model.languages
        attributes, dropped = self._attributes(raw.attributes, raw.author_id) if raw.attributes else ({}, False)
        flags = []
        if raw.truncated or cut or prediction.truncated:
            flags.append(_TRUNCATED)
        if prediction.low_confidence:
            flags.append(_LOW_CONFIDENCE)
        if not known or language not in active.model.languages:
            flags.append(_UNKNOWN_LANGUAGE)
        if redacted.changed:
            flags.append(_REDACTED)
        if dropped:
            flags.append(_ATTRIBUTES_DROPPED)
        flags += _body_flags(body)
        entities = _entities(text, redacted.spans, _shifted(prediction.spans, parts, text))
        if len(entities) > _MAX_ENTITIES:
            # A text of numbers can hold ten thousand: more than a message of Kafka's default size.
            del entities[_MAX_ENTITIES:]
            flags.append(_ENTITIES_DROPPED)
        if item.time_implausible:
            flags.append(Flag.TIME_IMPLAUSIBLE.value)
        return EnrichedRecord(
            timestamp=rfc3339(item.event_ms),
            event=Event(item.event_id, ingested),
            channel=item.channel,
            text=text,
            language=language,
            sentiment=_sentiment(prediction),
            intent=_intent(prediction),
            entities=entities,
            aspects=[
                Aspect(a.label, a.polarity, round(a.confidence, _DIGITS), f"{a.label}:{a.polarity}")
                for a in prediction.aspects
            ],
            risks=[Risk(risk.label, round(risk.confidence, _DIGITS)) for risk in prediction.risks],
            severity=_UNDECIDED_SEVERITY,
            route=_UNDECIDED_ROUTE,
            flags=flags,
            versions=active.versions,
            author_id=self._redactor.author_hash(raw.source, raw.author_id) if raw.author_id else None,
            rating=self._clean_rating(raw.rating),
            attributes=attributes,
            url=self._clean_url(raw.url, raw.author_id),
            source=self._clean(raw.source, raw.author_id),
            brand=self._clean(raw.brand, raw.author_id),
            product=self._clean(raw.product, raw.author_id),
            region=self._clean_region(raw.region, raw.author_id),
            body=None if parts.are_all_of(text) else _ranges(parts),
        )

    def _rated(self, body: Body, prediction: Prediction, text: str, rating: float | None) -> Prediction:
        if body.automatic or body.no_text:
            return _neutral(prediction)
        rated = with_demand(with_rating(prediction.sentiment, text, rating, self._settings.rating_scale), text)
        return prediction if rated == prediction.sentiment else replace(prediction, sentiment=rated)

    def _attributes(self, attributes: Mapping[str, Scalar], author: str | None) -> tuple[dict[str, Scalar], bool]:
        """Return the attributes redacted and limited in number and size, and True if any were dropped."""
        limits = self._settings.max_attributes, self._settings.max_attribute_bytes
        # Before redaction to limit its work, and after it because a placeholder can be longer than what it replaces.
        limited, dropped_before = limit_attributes(attributes, *limits)
        kept, dropped_after = limit_attributes(self._redactor.redact_attributes(limited, author), *limits)
        return kept, dropped_before or dropped_after

    def _clean_region(self, region: str | None, author: str | None) -> str | None:
        cleaned = self._clean(region, author)
        return cleaned if cleaned is None or self._region_name is None else self._region_name(cleaned)

    def _clean_rating(self, rating: float | None) -> float | None:
        """Return the rating, or None if it is a million or more and would be redacted as a phone or card number."""
        if rating is None or abs(rating) < _LONG_NUMBER:
            return rating
        digits = f"{rating:.0f}"
        return rating if self._redactor.redact_text(digits) == digits else None

    def _clean_url(self, url: str | None, author: str | None) -> str | None:
        """Redact a URL as one address, with each run of spaces replaced by %20; None for None.

        If it were split at a space, half of a number would be taken for address and half for text.
        """
        if url is None:
            return None
        redacted = self._redactor.redact_text(url, author)
        parts = redacted.split()
        # Redaction is idempotent: only what was joined is new.
        return redacted if parts == [redacted] else self._redactor.redact_text("%20".join(parts), author)

    def _clean(self, value: str | None, author: str | None) -> str | None:
        if value is None:
            return None
        if author is not None and author.casefold() in value.casefold():
            return self._redactor.redact_text(value, author)
        return self._redact_value(value)


class EnrichStage:
    """Runs the enricher over a batch and counts its results."""

    name = "enrich"

    def __init__(self, enricher: Enricher, metrics: Metrics) -> None:
        self._enricher = enricher
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        batch.enriched = self._enricher.enrich(batch.validated) if batch.validated else []
        records = [item.record for item in batch.enriched]
        for intent, count in Counter(record.intent.label for record in records).items():
            self._metrics.intents.labels(intent).inc(count)
        for sentiment, count in Counter(record.sentiment.label for record in records).items():
            self._metrics.sentiments.labels(sentiment).inc(count)
        self._metrics.low_confidence.inc(sum(_LOW_CONFIDENCE in record.flags for record in records))
        observe_all(self._metrics.confidence.labels("intent"), [record.intent.confidence for record in records])
        observe_all(self._metrics.confidence.labels("sentiment"), [record.sentiment.confidence for record in records])


def _activate(model: Model, rules: RuleSet, risks: Sequence[RiskModel]) -> ActiveModel:
    versions = Versions(pipeline=__version__, model=model.version, rules=rules.version, taxonomy=model.taxonomy)
    return ActiveModel(model, rules, versions, risks)


def _enriched(item: ValidatedRecord, record: EnrichedRecord) -> Enriched:
    raw = item.raw
    identity = document_id(item.channel, raw.source, raw.id, item.original or item.position, item.broker_ms)
    return Enriched(record, identity, item, _encode(record))


def _body_flags(body: Body) -> list[str]:
    found = (body.quoted, body.automatic, body.no_text)
    return [flag for flag, holds in zip(_BODY_FLAGS, found, strict=True) if holds] if any(found) else []


def _neutral(prediction: Prediction) -> Prediction:
    """Return the prediction for a text that no person wrote: neutral, without spans, aspects and risks.

    The intent is `other` if the taxonomy has it, else it stays.
    """
    names = [name for name, _ in prediction.intents]
    return replace(
        prediction,
        intents=[(_OTHER, 1.0)] if _OTHER in names else prediction.intents,
        sentiment={name: float(name == SentimentLabel.NEUTRAL) for name in prediction.sentiment},
        spans=[],
        aspects=[],
        risks=[],
        low_confidence=False,
    )


def _shifted(spans: Sequence[Span], parts: TextParts, text: str) -> Sequence[Span]:
    """Return the spans with their offsets in the whole text instead of those in the classified parts of it."""
    if not spans or parts.are_all_of(text):
        return spans
    return [replace(span, start=parts.original(span.start), end=parts.original(span.end)) for span in spans]


def _ranges(parts: TextParts) -> TextRange | list[TextRange]:
    ranges = [TextRange(start, end) for start, end in parts.ranges]
    return ranges[0] if len(ranges) == 1 else ranges


def _sentiment(prediction: Prediction) -> Sentiment:
    label = max(prediction.sentiment, key=prediction.sentiment.__getitem__)
    return Sentiment(
        label=label,
        score=round(prediction.sentiment["positive"] - prediction.sentiment["negative"], _DIGITS),
        confidence=round(prediction.sentiment[label], _DIGITS),
    )


def _intent(prediction: Prediction) -> Intent:
    label, confidence = prediction.intents[0]
    top = [IntentScore(name, round(p, _DIGITS)) for name, p in prediction.intents[:_TOP_INTENTS]]
    return Intent(label, round(confidence, _DIGITS), top)


def _entities(text: str, rule_spans: Sequence[Span], model_spans: Sequence[Span]) -> list[Entity]:
    """Return the entities of rules and model, ordered by start; one of the model that overlaps a rule's is left out."""
    if not rule_spans and not model_spans:
        return []
    spans = list(rule_spans)
    spans += [m for m in model_spans if all(m.end <= r.start or m.start >= r.end for r in rule_spans)]
    return [
        Entity(text[s.start : s.end], s.label, s.start, s.end, round(s.confidence, _DIGITS), s.source)
        for s in sorted(spans, key=lambda span: span.start)
    ]


def limit_attributes(attributes: Mapping[str, Scalar], max_keys: int, max_bytes: int) -> tuple[dict[str, Scalar], bool]:
    """Return the first attributes that fit, and True if any were dropped.

    At most `max_keys` are kept, whose keys and values together have at most `max_bytes` (as UTF-8): a source that sends
    thousands of keys must not enlarge every document.
    """
    kept: dict[str, Scalar] = {}
    size = 0
    for name, value in attributes.items():
        size += len(name.encode("utf-8", "replace")) + len(str(value).encode("utf-8", "replace"))
        if len(kept) == max_keys or size > max_bytes:
            return kept, True
        kept[name] = value
    return kept, False


def explain(
    model: Explainable, rules: RuleSet, record: EnrichedRecord, risks: Sequence[RiskModel] = ()
) -> ExplainedRecord:
    """Return the record with the words that influenced the model's labels, and the evidence for each matching rule.

    The record may be new or read from the index: only its redacted text is needed. The model is called once. If `model`
    or `rules` are not those of the record's `versions`, the explanation applies to the given ones.
    """
    words = explain_record(model, record)
    explanation = Explanation(
        intent=words.intent,
        sentiment=words.sentiment,
        rules=explain_rules(rules, record),
        risk_scores=[risk.explain(record) for risk in risks] if record.written else [],
    )
    return ExplainedRecord(**asdict(record), explanation=explanation)
