"""Defines the facts about a record that rules can test, and extracts them from an enriched record."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from triage.schemas.enriched import EnrichedRecord


@dataclass(slots=True, kw_only=True)
class Facts:
    """The properties of a record that rules test, after redaction and classification.

    `entities` are the labels of entities in the text, `risks` those of the risks that it reports; `risk_scores` are
    the probabilities of the operator's own risks by name;
    `sentiment_score` is from -1 to 1, `intent_confidence` from 0 to 1.
    """

    text: str
    channel: str = ""
    intent: str = ""
    intent_confidence: float = 0.0
    sentiment: str = ""
    sentiment_score: float = 0.0
    language: str = ""
    flags: Collection[str] = ()
    entities: Collection[str] = ()
    risks: Collection[str] = ()
    risk_scores: Mapping[str, float] = field(default_factory=dict)
    brand: str | None = None
    product: str | None = None
    region: str | None = None
    source: str | None = None
    rating: float | None = None


def facts_of(record: EnrichedRecord) -> Facts:
    """Extract the facts of a record. All come from the enriched record, so that a decision can be repeated.

    The text is the classified part of the record's text, at its original offsets; empty if no person wrote it.
    """
    return Facts(
        text=_text_of(record),
        channel=record.channel,
        language=record.language,
        intent=record.intent.label,
        intent_confidence=record.intent.confidence,
        sentiment=record.sentiment.label,
        sentiment_score=record.sentiment.score,
        flags=frozenset(record.flags),
        entities=frozenset(entity.label for entity in record.entities),
        risks=frozenset(risk.label for risk in record.risks),
        risk_scores={score.name: score.probability for score in record.risk_scores},
        brand=record.brand,
        product=record.product,
        region=record.region,
        source=record.source,
        rating=record.rating,
    )


def _text_of(record: EnrichedRecord) -> str:
    if not record.written:
        return ""
    return record.text if record.body is None else record.parts.masked(record.text)
