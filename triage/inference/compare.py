"""Compares the predictions of two models on the same texts: agreement by head, and the largest differences."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from triage.types import Model, Prediction

HEADS = ("intent", "sentiment", "entities", "risks")
_TEXT_CHARS = 300
_BATCH = 256


class LabelChange(msgspec.Struct, frozen=True):
    """Number of texts that the first model labels `one` and the second `other`."""

    one: str
    other: str
    texts: int


class HeadResult(msgspec.Struct, frozen=True):
    """Comparison of two models in one head: intent, sentiment, entities or risks.

    `agreement` is the share of texts with the same label (entities: the same spans and labels; risks: the same
    labels), `mean_difference` the mean total variation distance of the two distributions, 0 to 1 (entities, risks:
    None), `changes` the ten most frequent label changes.
    """

    head: str
    agreement: float
    mean_difference: float | None
    changes: list[LabelChange]


class Difference(msgspec.Struct, frozen=True):
    """A text with summaries of both models' predictions (`one` and `other`).

    `difference` is the larger of the total variation distances of intent and of sentiment, 0 to 1.
    """

    text: str
    difference: float
    one: str
    other: str


class Result(msgspec.Struct, frozen=True):
    """Comparison of the models `one` and `other`; `largest` are the texts that differ most, largest first."""

    one: str
    other: str
    texts: int
    heads: list[HeadResult]
    largest: list[Difference]


def compare_models(one: Model, other: Model, texts: Iterable[str], most: int = 10) -> Result | None:
    """Run both models on all texts, in bounded memory; None if there are no texts.

    The result lists the `most` largest differences. Raises ModelError if a runtime fails.
    """
    comparison = Comparison(most)
    left = iter(texts)
    while batch := list(islice(left, _BATCH)):
        comparison.add(batch, one.predict(batch), other.predict(batch))
    return comparison.result(one.version, other.version) if comparison.texts else None


class Comparison:
    """Accumulates the agreement of two models over batches, and keeps the `most` texts with the largest differences."""

    def __init__(self, most: int = 0) -> None:
        self.texts = 0
        self.disagreements = dict.fromkeys(HEADS, 0)
        self._most = most
        self._sums = {"intent": 0.0, "sentiment": 0.0}
        self._changes: dict[str, Counter[tuple[str, str]]] = {head: Counter() for head in HEADS}
        self._largest: list[tuple[float, int, Difference]] = []

    def add(self, texts: Sequence[str], ones: Sequence[Prediction], others: Sequence[Prediction]) -> None:
        """Add a batch: the predictions of both models for the same texts, in the same order."""
        for text, one, other in zip(texts, ones, others, strict=True):
            self._add(text, one, other)

    def result(self, one: str, other: str) -> Result:
        """Comparison of everything added so far; `one` and `other` are the models' versions.

        Raises ValueError if nothing was added.
        """
        if not self.texts:
            raise ValueError("nothing was compared")
        heads = [
            HeadResult(
                head,
                round(1 - self.disagreements[head] / self.texts, 6),
                round(self._sums[head] / self.texts, 6) if head in self._sums else None,
                [LabelChange(*pair, texts) for pair, texts in self._changes[head].most_common(10)],
            )
            for head in HEADS
        ]
        largest = [difference for _, _, difference in sorted(self._largest, key=lambda item: (-item[0], -item[1]))]
        return Result(one, other, self.texts, heads, largest)

    def _add(self, text: str, one: Prediction, other: Prediction) -> None:
        distances = {
            "intent": distance(dict(one.intents), dict(other.intents)),
            "sentiment": distance(one.sentiment, other.sentiment),
        }
        for head, value in distances.items():
            self._sums[head] += value
        for head, pair in changes(one, other).items():
            self.disagreements[head] += 1
            self._changes[head][pair] += 1
        if self._most:
            worst = max(distances.values())
            difference = Difference(text[:_TEXT_CHARS], round(worst, 4), _summary(one), _summary(other))
            # The negative index breaks ties: of equal differences the earlier text is kept.
            keep = heapq.heappush if len(self._largest) < self._most else heapq.heappushpop
            keep(self._largest, (worst, -self.texts, difference))
        self.texts += 1


def changes(one: Prediction, other: Prediction) -> dict[str, tuple[str, str]]:
    """Labels of both predictions, (one, other), for each head in which they differ."""
    pairs = {
        "intent": (one.intents[0][0], other.intents[0][0]),
        "sentiment": (_sentiment(one), _sentiment(other)),
    }
    found = {head: pair for head, pair in pairs.items() if pair[0] != pair[1]}
    if _entities(one) != _entities(other):
        found["entities"] = (_entity_labels(one), _entity_labels(other))
    if _risks(one) != _risks(other):
        found["risks"] = (_risks(one), _risks(other))
    return found


def distance(one: dict[str, float], other: dict[str, float]) -> float:
    """Total variation distance of two distributions, 0 to 1; a label that is missing in one has probability 0 there."""
    return sum(abs(one.get(label, 0.0) - other.get(label, 0.0)) for label in one.keys() | other.keys()) / 2


def _sentiment(prediction: Prediction) -> str:
    return max(prediction.sentiment, key=prediction.sentiment.__getitem__)


def _entities(prediction: Prediction) -> frozenset[tuple[int, int, str]]:
    return frozenset((span.start, span.end, span.label) for span in prediction.spans)


def _entity_labels(prediction: Prediction) -> str:
    return "+".join(sorted(span.label for span in prediction.spans)) or "none"


def _risks(prediction: Prediction) -> str:
    return "+".join(sorted(risk.label for risk in prediction.risks)) or "none"


def _summary(prediction: Prediction) -> str:
    intent, confidence = prediction.intents[0]
    sentiment = _sentiment(prediction)
    labels = f"{intent} {confidence:.2f}, {sentiment} {prediction.sentiment[sentiment]:.2f}"
    return f"{labels}, {_entity_labels(prediction)}, risks: {_risks(prediction)}"
