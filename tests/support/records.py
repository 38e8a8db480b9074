"""Invented enriched records: fields that a test does not set are plausible and always the same."""

from typing import Any

from triage.clock import rfc3339
from triage.schemas.enriched import EnrichedRecord, Event, Intent, IntentScore, Route, Sentiment, Severity, Versions
from triage.types import Channel

AT_MS = 1_795_339_800_000  # 2026-11-22T09:30:00Z


def enriched(
    text: str = "Where is my parcel?",
    at_ms: int = AT_MS,
    *,
    score: float = -0.9,
    intent: str = "delivery",
    **fields: Any,
) -> EnrichedRecord:
    """A record of this text; the sentiment's label follows from its score."""
    label = "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"
    values: dict[str, Any] = {
        "timestamp": rfc3339(at_ms),
        "event": Event(text, rfc3339(at_ms + 5)),
        "channel": Channel.COMPLAINT,
        "text": text,
        "language": "en",
        "sentiment": Sentiment(label, score, 0.9),
        "intent": Intent(intent, 0.8, [IntentScore(intent, 0.8), IntentScore("other", 0.1)]),
        "entities": [],
        "severity": Severity("high", ["r1"]),
        "route": Route("logistics", []),
        "flags": [],
        "versions": Versions("0.1.0", "m@1", "r1", "1"),
    }
    return EnrichedRecord(**values | fields)
