"""Which words carried a decision: each is left out in turn, and the winning probability looked at again.

Occlusion, also called erasure: Li, Monroe and Jurafsky 2016, "Understanding Neural Networks through Representation
Erasure". It asks nothing of the model but predictions, so it works on every device, offline, and always gives the same.
Where several clauses say the same, leaving out a word of one changes nothing; hence each word is also left out of its
clause alone.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from triage.inference.word_segments import Piece, clauses, grouped
from triage.schemas.explanation import HeadExplanation, Word
from triage.types import Model, Prediction

MAX_PIECES = 48
"""Longer texts are occluded in runs of words, so that a record costs a bounded number of texts."""
MAX_WORDS = 10
_LEAST_WEIGHT = 0.01
_AT_LEAST_WORDS = 3
_DIGITS = 4


class Explainable(Model, Protocol):
    """A model that can also say where the words of a text are."""

    def pieces(self, text: str) -> list[Piece]:
        """Start and end of the words that the model reads, in code points; those beyond its limit are left out."""
        ...


class WordWeights(NamedTuple):
    intent: HeadExplanation
    sentiment: HeadExplanation


def explain_words(model: Explainable, text: str, *, max_pieces: int = MAX_PIECES) -> WordWeights:
    """Weights of the words of one text, for the intent and the sentiment that win.

    A weight is the probability of the winning label less that without the word, from -1 to 1; in a text of several
    clauses the mean of that in the whole text and that in the word's clause alone. Listed are, strongest first, at most
    ten words of at least .01 in size; where no word matters so much, the three that matter most. One call of the model.
    Raises ModelError if the runtime fails.
    """
    found = model.pieces(text)
    pieces = grouped(found, max_pieces)
    whole = _Context(0, len(text), range(len(pieces)))
    contexts = [whole]
    if len(pieces) == len(found) and len(parts := clauses(text, pieces)) > 1:
        contexts += [_Context(pieces[part[0]][0], pieces[part[-1]][1], part) for part in parts]
    texts = [text_of for context in contexts for text_of in context.texts(text, pieces)]
    predictions = model.predict(texts)
    intent = predictions[0].intents[0][0]
    sentiment = max(predictions[0].sentiment, key=predictions[0].sentiment.__getitem__)
    return WordWeights(
        _explained(text, pieces, contexts, intent, [_intent(prediction, intent) for prediction in predictions]),
        _explained(text, pieces, contexts, sentiment, [prediction.sentiment[sentiment] for prediction in predictions]),
    )


class _Context(NamedTuple):
    """A stretch of the text, and the numbers of the pieces in it: each is left out of it in turn."""

    start: int
    end: int
    numbers: Sequence[int]

    def texts(self, text: str, pieces: Sequence[Piece]) -> Iterator[str]:
        """The stretch, then the stretch without each piece."""
        yield text[self.start : self.end]
        for number in self.numbers:
            start, end = pieces[number]
            yield text[self.start : start] + text[end : self.end]


def _explained(
    text: str, pieces: Sequence[Piece], contexts: Sequence[_Context], label: str, probabilities: Sequence[float]
) -> HeadExplanation:
    drops: list[list[float]] = [[] for _ in pieces]
    left = iter(probabilities)
    for context in contexts:
        complete = next(left)
        for number in context.numbers:
            drops[number].append(complete - next(left))
    words = [
        Word(text[start:end], start, end, round(sum(drop) / len(drop), _DIGITS))
        for (start, end), drop in zip(pieces, drops, strict=True)
    ]
    words.sort(key=lambda word: (-abs(word.weight), word.start))
    listed = [word for word in words if abs(word.weight) >= _LEAST_WEIGHT][:MAX_WORDS]
    if not any(word.weight > 0 for word in listed):
        listed += [word for word in words if 0 < word.weight < _LEAST_WEIGHT][:_AT_LEAST_WORDS]
    return HeadExplanation(label, round(probabilities[0], _DIGITS), listed)


def _intent(prediction: Prediction, label: str) -> float:
    return dict(prediction.intents).get(label, 0.0)
