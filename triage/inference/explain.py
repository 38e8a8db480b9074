"""Explains a prediction by occlusion: removes each word in turn and measures how the winning probability changes.

Occlusion, also called erasure: Li, Monroe and Jurafsky 2016, "Understanding Neural Networks through Representation
Erasure". It needs only predictions from the model, so it works on every device, offline, and is deterministic. If
several clauses support the same label, removing a word of one of them changes little. Each word is therefore also
removed from its clause alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from triage.inference.word_segments import Segment, clauses, group_segments
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.explanation import HeadExplanation, Word
from triage.types import Model, Prediction

MAX_SEGMENTS = 48
"""In longer texts runs of words are removed together, so that the number of texts per record is bounded."""
MAX_WORDS = 10
_LEAST_WEIGHT = 0.01
_FEWEST_WORDS = 3
_DIGITS = 4


class Explainable(Model, Protocol):
    """A model that can also split a text into words."""

    def word_segments(self, text: str) -> list[Segment]:
        """Start and end of each word in code points; words beyond the model's token limit are left out."""
        ...


class WordWeights(NamedTuple):
    """The words of a text with their weights for the winning intent and for the winning sentiment."""

    intent: HeadExplanation
    sentiment: HeadExplanation


def explain_words(model: Explainable, text: str, *, max_segments: int = MAX_SEGMENTS) -> WordWeights:
    """Weights of the words of one text, for the winning intent and sentiment.

    A weight, from -1 to 1, is the probability of the winning label minus its probability without the word; in a text
    of several clauses it is the mean of this difference in the whole text and in the word's clause alone. The result
    lists at most ten words with an absolute weight of at least .01, strongest first; if no word with a positive
    weight reaches .01, the three with the largest positive weights are added. If the text has more than
    `max_segments` words, neighbours are joined. Calls the model once. Raises ModelError if the runtime fails.
    """
    words = model.word_segments(text)
    segments = group_segments(words, max_segments)
    contexts = [_Context(0, len(text), range(len(segments)))]
    if len(segments) == len(words) and len(parts := clauses(text, segments)) > 1:
        contexts += [_Context(segments[part[0]][0], segments[part[-1]][1], part) for part in parts]
    texts = [occluded for context in contexts for occluded in context.texts(text, segments)]
    predictions = model.predict(texts)
    intent = predictions[0].intents[0][0]
    sentiment = max(predictions[0].sentiment, key=predictions[0].sentiment.__getitem__)
    return WordWeights(
        _explained(text, segments, contexts, intent, [_intent(prediction, intent) for prediction in predictions]),
        _explained(
            text, segments, contexts, sentiment, [prediction.sentiment[sentiment] for prediction in predictions]
        ),
    )


def explain_record(model: Explainable, record: EnrichedRecord) -> WordWeights:
    """Weights of the words in the part of a record that was classified, with offsets in the whole text.

    See `explain_words`. Raises ModelError if the runtime fails.
    """
    weights = explain_words(model, record.parts.joined(record.text))
    if record.body is None:
        return weights
    original = record.parts.original

    def moved(head: HeadExplanation) -> HeadExplanation:
        words = [Word(word.text, original(word.start), original(word.end), word.weight) for word in head.words]
        return replace(head, words=words)

    return WordWeights(moved(weights.intent), moved(weights.sentiment))


class _Context(NamedTuple):
    """A part of the text, text[start:end], and the indices of its segments, which are removed from it in turn."""

    start: int
    end: int
    indices: Sequence[int]

    def texts(self, text: str, segments: Sequence[Segment]) -> Iterator[str]:
        """Yield this part of the text, then the part without each of its word segments."""
        yield text[self.start : self.end]
        for index in self.indices:
            start, end = segments[index]
            yield text[self.start : start] + text[end : self.end]


def _explained(
    text: str, segments: Sequence[Segment], contexts: Sequence[_Context], label: str, probabilities: Sequence[float]
) -> HeadExplanation:
    """Explanation of `label` from its probabilities in the texts of all contexts, in the order of `_Context.texts`."""
    drops: list[list[float]] = [[] for _ in segments]
    remaining = iter(probabilities)
    for context in contexts:
        complete = next(remaining)
        for index in context.indices:
            drops[index].append(complete - next(remaining))
    words = [
        Word(text[start:end], start, end, round(sum(drop) / len(drop), _DIGITS))
        for (start, end), drop in zip(segments, drops, strict=True)
    ]
    words.sort(key=lambda word: (-abs(word.weight), word.start))
    listed = [word for word in words if abs(word.weight) >= _LEAST_WEIGHT][:MAX_WORDS]
    if not any(word.weight > 0 for word in listed):
        listed += [word for word in words if 0 < word.weight < _LEAST_WEIGHT][:_FEWEST_WORDS]
    return HeadExplanation(label, round(probabilities[0], _DIGITS), listed)


def _intent(prediction: Prediction, label: str) -> float:
    return dict(prediction.intents).get(label, 0.0)
