"""What rules may ask about one record."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Facts:
    """One record as the rules see it: after redaction and the model. `entities` are the labels found in the text."""

    text: str
    channel: str = ""
    intent: str = ""
    intent_confidence: float = 0.0
    sentiment: str = ""
    sentiment_score: float = 0.0
    language: str = ""
    flags: Collection[str] = ()
    entities: Collection[str] = ()
    brand: str | None = None
    product: str | None = None
    region: str | None = None
    source: str | None = None
    rating: float | None = None
