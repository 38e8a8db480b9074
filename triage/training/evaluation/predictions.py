"""Predicts the rows of test sets, and collects labels and predictions of one head in arrays."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.inference.model import OnnxModel
from triage.training.evaluation.sets import Row
from triage.types import Prediction

_CHUNK = 256
LABEL_HEADS = ("intent", "sentiment")
"""Heads with one label per text."""

Progress = Callable[[str, int, int], None]
"""Called with the name of the set, the number of texts done and the number of all texts."""


@dataclass(frozen=True)
class RowPrediction:
    """The model's prediction of a row, and the name of the set that the row belongs to."""

    row: Row
    set_name: str
    prediction: Prediction


@dataclass(frozen=True)
class HeadPredictions:
    """Labels and predictions of a head with one label per text, for n texts.

    `gold` and `predicted` [n] are indices into `labels`, `confidence` [n] is the probability of the predicted label.
    """

    labels: tuple[str, ...]
    gold: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Mask [n] of the texts whose predicted label is the gold label."""
        equal: NDArray[np.bool_] = self.gold == self.predicted
        return equal


def predict_rows(
    model: OnnxModel, name: str, rows: Sequence[Row], progress: Progress | None = None
) -> list[RowPrediction]:
    """Predictions of `rows`, in order, as rows of the test set `name`. Raises ModelError.

    `progress` is called after each chunk with `name`, the number of rows predicted so far, and that of all rows.
    """
    found: list[RowPrediction] = []
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        predictions = model.predict([row.example.text for row in chunk])
        found += [RowPrediction(row, name, prediction) for row, prediction in zip(chunk, predictions, strict=True)]
        if progress:
            progress(name, len(found), len(rows))
    return found


def head_predictions(predictions: Iterable[RowPrediction], head: str, labels: Sequence[str]) -> HeadPredictions | None:
    """Labels and predictions in `head`, of the rows that have a label for it; None if no row has one.

    `head` is `intent` or `sentiment`, `labels` are those that it can predict.
    """
    index = {label: position for position, label in enumerate(labels)}
    gold, predicted, confidence = [], [], []
    for each in predictions:
        label = getattr(each.row.example, head)
        if label is None:
            continue
        guess, probability = best_label(each.prediction, head)
        gold.append(index[label])
        predicted.append(index[guess])
        confidence.append(probability)
    if not gold:
        return None
    return HeadPredictions(tuple(labels), np.array(gold), np.array(predicted), np.array(confidence))


def best_label(prediction: Prediction, head: str) -> tuple[str, float]:
    """The label that a prediction makes most probable in a head (`intent` or `sentiment`), and its probability."""
    if head == "intent":
        return prediction.intents[0]
    return max(prediction.sentiment.items(), key=lambda item: item[1])
