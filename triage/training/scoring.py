"""Figures of a classifier or tagger, from plain label lists (no torch, no scikit-learn)."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

Span = tuple[int, int, str]
"""start, end, label"""


def confusion(gold: Sequence[int], predicted: Sequence[int], classes: int) -> np.ndarray:
    """[classes, classes] counts, gold by rows."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (np.asarray(gold, np.int64), np.asarray(predicted, np.int64)), 1)
    return matrix


def classification(gold: Sequence[int], predicted: Sequence[int], classes: int) -> dict[str, float]:
    """Accuracy, macro-F1 and macro-recall over the classes that occur in `gold`."""
    matrix = confusion(gold, predicted, classes)
    hits, support, guessed = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    occurring = support > 0
    recall = hits[occurring] / support[occurring]
    f1 = 2 * hits[occurring] / (support[occurring] + guessed[occurring])
    return {
        "accuracy": float(hits.sum() / max(1, matrix.sum())),
        "macro_f1": float(f1.mean()) if f1.size else 0.0,
        "macro_recall": float(recall.mean()) if recall.size else 0.0,
    }


def calibration_error(confidence: Sequence[float], correct: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error: |accuracy - confidence| over equal-width bins, weighted by their size.

    Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3.
    """
    if not confidence:
        return 0.0
    scores, hits = np.asarray(confidence), np.asarray(correct, float)
    edges = np.linspace(0.0, 1.0, bins + 1)
    total = 0.0
    for low, high in pairwise(edges):
        inside = (scores > low) & (scores <= high)
        if inside.any():
            total += inside.mean() * abs(hits[inside].mean() - scores[inside].mean())
    return float(total)


def span_scores(gold: Iterable[Iterable[Span]], predicted: Iterable[Iterable[Span]]) -> dict[str, float]:
    """Micro precision, recall and F1 of exact spans (border and label), as CoNLL and seqeval count them."""
    hits = found = expected = 0
    for truth, guess in zip(gold, predicted, strict=True):
        wanted, given = set(truth), set(guess)
        hits += len(wanted & given)
        expected += len(wanted)
        found += len(given)
    precision = hits / found if found else 0.0
    recall = hits / expected if expected else 0.0
    f1 = 2 * hits / (found + expected) if found + expected else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def bio_spans(tags: Sequence[str]) -> list[Span]:
    """Spans of token indices [start, end); an I- that continues nothing starts one, as in seqeval's default mode."""
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
