"""Scores classifiers and taggers from arrays of labels. Imported without torch and scikit-learn."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15
"""Bins of the calibration error."""
Span = tuple[int, int, str]
"""Start, end (exclusive) and label."""


def confusion(gold: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Confusion matrix [classes, classes] of label indices: rows are gold, columns are predicted labels."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (np.asarray(gold, np.int64), np.asarray(predicted, np.int64)), 1)
    return matrix


def classification_scores(gold: ArrayLike, predicted: ArrayLike, classes: int) -> dict[str, float]:
    """`accuracy`, `macro_f1` and `macro_recall` of label indices [texts].

    Means are over the classes that occur in `gold`.
    """
    return {name: float(value) for name, value in confusion_scores(confusion(gold, predicted, classes)).items()}


def confusion_scores(matrix: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """`accuracy`, `macro_f1` and `macro_recall` of each confusion matrix; means are over the classes with true labels.

    `matrix` is [..., true class, predicted class]; each score is [...].
    """
    hits = np.diagonal(matrix, axis1=-2, axis2=-1)
    support, guessed = matrix.sum(axis=-1), matrix.sum(axis=-2)
    occurring = support > 0
    classes = np.maximum(1, occurring.sum(axis=-1))
    recall = np.where(occurring, hits / np.maximum(1, support), 0.0)
    f1 = np.where(occurring, 2 * hits / np.maximum(1, support + guessed), 0.0)
    return {
        "accuracy": hits.sum(axis=-1) / np.maximum(1, support.sum(axis=-1)),
        "macro_f1": f1.sum(axis=-1) / classes,
        "macro_recall": recall.sum(axis=-1) / classes,
    }


def calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: |accuracy - confidence| over equal-width bins, weighted by their size.

    `confidence` and `correct` (1 or 0) are [texts].

    Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3.
    """
    table = reliability_bins(confidence, correct, bins)
    total = sum(row["texts"] for row in table)
    return sum(row["texts"] * abs(row["accuracy"] - row["confidence"]) for row in table) / total if total else 0.0


def reliability_bins(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> list[dict[str, float]]:
    """`texts` (number), mean `confidence` and `accuracy` of each equal-width bin (low, high] that is not empty.

    `confidence` and `correct` (1 or 0) are [texts]; `low` is the lower bound of the bin.
    """
    scores, hits = np.asarray(confidence, float), np.asarray(correct, float)
    places = confidence_bins(scores, bins)
    return [
        {
            "low": place / bins,
            "texts": int((places == place).sum()),
            "confidence": float(scores[places == place].mean()),
            "accuracy": float(hits[places == place].mean()),
        }
        for place in np.unique(places).tolist()
    ]


def confidence_bins(scores: NDArray[np.float64], bins: int = BINS) -> NDArray[np.int64]:
    """Index [n] of the bin (low, high] of each score; a score of 0 is in the first bin."""
    return np.clip(np.ceil(scores * bins).astype(np.int64) - 1, 0, bins - 1)


def span_scores(gold: Iterable[Iterable[Span]], predicted: Iterable[Iterable[Span]]) -> dict[str, float]:
    """Micro-averaged `precision`, `recall` and `f1` of exact spans (boundaries and label), as CoNLL and seqeval count.

    `gold` and `predicted` have the spans of each text.
    """
    hits = found = expected = 0
    for truth, guess in zip(gold, predicted, strict=True):
        true_spans, guessed_spans = set(truth), set(guess)
        hits += len(true_spans & guessed_spans)
        expected += len(true_spans)
        found += len(guessed_spans)
    precision = hits / found if found else 0.0
    recall = hits / expected if expected else 0.0
    f1 = 2 * hits / (found + expected) if found + expected else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def bio_spans(tags: Sequence[str]) -> list[Span]:
    """Spans of token indices [start, end) from BIO tags.

    An I- tag that does not continue a span starts one, as in seqeval's default mode.
    """
    spans: list[Span] = []
    before = "O"
    for index, tag in enumerate(tags):
        prefix, _, label = tag.partition("-")
        if prefix == "I" and before != "O" and before[2:] == label:
            spans[-1] = (spans[-1][0], index + 1, label)
        elif prefix != "O":
            spans.append((index, index + 1, label))
        before = tag
    return spans
