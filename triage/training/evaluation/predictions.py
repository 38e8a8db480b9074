"""Rows with what the model says of them, and the columns that figures are made of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.inference.model import OnnxModel
from triage.training.evaluation.sets import Row
from triage.types import Prediction

_CHUNK = 256
LABEL_HEADS = ("intent", "sentiment")

Progress = Callable[[str, int, int], None]
"""Called with the set, the texts done and the texts in all."""


@dataclass(frozen=True)
class Predictions:
    """One row, the set it belongs to, and the model's prediction."""

    row: Row
    set_name: str
    prediction: Prediction


@dataclass(frozen=True)
class Answers:
    """What a head with one label a text says: `gold` and `predicted` are indices of `labels`, all [n]."""

    labels: tuple[str, ...]
    gold: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]

    @property
    def correct(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.gold == self.predicted
        return right


def judge(model: OnnxModel, name: str, rows: Sequence[Row], progress: Progress | None = None) -> list[Predictions]:
    """Predictions of every row, in order. Raises ModelError."""
    judged: list[Predictions] = []
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        predictions = model.predict([row.example.text for row in chunk])
        judged += [Predictions(row, name, prediction) for row, prediction in zip(chunk, predictions, strict=True)]
        if progress:
            progress(name, len(judged), len(rows))
    return judged


def answers(judged: Iterable[Predictions], head: str, labels: Sequence[str]) -> Answers | None:
    """The answers of `intent` or `sentiment` on the rows that have a label for it; None if none has."""
    index = {label: position for position, label in enumerate(labels)}
    gold, predicted, confidence = [], [], []
    for one in judged:
        label = getattr(one.row.example, head)
        if label is None:
            continue
        guess, probability = best(one.prediction, head)
        gold.append(index[label])
        predicted.append(index[guess])
        confidence.append(probability)
    if not gold:
        return None
    return Answers(tuple(labels), np.array(gold), np.array(predicted), np.array(confidence))


def best(prediction: Prediction, head: str) -> tuple[str, float]:
    """The likeliest label of a head and its probability."""
    if head == "intent":
        return prediction.intents[0]
    return max(prediction.sentiment.items(), key=lambda item: item[1])
