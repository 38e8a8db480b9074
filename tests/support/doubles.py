"""Deterministic stand-ins for tests of what surrounds the model."""

from collections.abc import Sequence

from triage.types import Aspect, Prediction, Span


class WordModel:
    """Classifies by words in the text, so that a test can decide what the model finds."""

    version = "words@1"
    taxonomy = "1"
    languages = frozenset({"en", "zh"})

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.calls.append(list(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Prediction:
        low = text.lower()
        intent = "delivery" if "parcel" in low else "praise" if "love" in low else "other"
        negative = 0.9 if "never" in low else 0.05
        spans = [Span(at, at + 4, "organization", 0.8, "model")] if (at := text.find("Acme")) >= 0 else []
        return Prediction(
            intents=[(intent, 0.7), ("billing", 0.2), ("payment", 0.1)],
            sentiment={"negative": negative, "neutral": 0.05, "positive": 0.95 - negative},
            spans=spans,
            low_confidence="maybe" in low,
            aspects=[Aspect("delivery", "negative", 0.91234)] if "late" in low else [],
        )
