"""Enriched records, made up: what a test doesn't say is plausible and the same each time."""

from triage.clock import rfc3339
from triage.schemas.enriched import EnrichedRecord, Event, Intent, IntentScore, Route, Sentiment, Severity, Versions
from triage.types import Channel

AT_MS = 1_795_339_800_000  # 2026-11-22T09:30:00Z


def enriched(text="Where is my parcel?", at_ms=AT_MS, *, score=-0.9, intent="delivery", **fields):
    """A record of this text; the sentiment's label follows from its score."""
    label = "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"
    values = {
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
