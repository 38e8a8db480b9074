"""Extracts the facts that the bot uses from an enriched record."""

from dataclasses import dataclass, field

from triage.redaction import Redactor
from triage.schemas.enriched import EnrichedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFacts:
    """One turn after redaction, model and rules.

    `entities` are (label, text); `rules` are names of severity rules,
    `risks` labels of the risk head.
    """

    text: str
    language: str = "en"
    intent: str = ""
    intent_confidence: float = 0.0
    sentiment: str = "neutral"
    sentiment_score: float = 0.0
    entities: list[tuple[str, str]] = field(default_factory=list)
    severity: str = "low"
    rules: frozenset[str] = frozenset()
    risks: frozenset[str] = frozenset()


def facts_of_turn(record: EnrichedRecord) -> TurnFacts:
    """Extract the facts of a turn from its enriched record."""
    return TurnFacts(
        text=record.text,
        language=record.language,
        intent=record.intent.label,
        intent_confidence=record.intent.confidence,
        sentiment=record.sentiment.label,
        sentiment_score=record.sentiment.score,
        entities=[(each.label, each.text) for each in record.entities],
        severity=record.severity.level,
        rules=frozenset(record.severity.rules),
        risks=frozenset(each.label for each in record.risks),
    )


def facts_by_rules(text: str, redactor: Redactor) -> TurnFacts:
    """Determine the facts of a text without a model: the redacted text, and entities that the redactor's rules find."""
    redacted = redactor.redact(text)
    found = [(each.label, redacted.text[each.start : each.end]) for each in redacted.spans]
    return TurnFacts(text=redacted.text, entities=found)
