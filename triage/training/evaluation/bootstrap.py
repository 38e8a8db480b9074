"""Computes confidence intervals by the percentile bootstrap (Efron 1979), vectorised over the resamples."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triage.training.evaluation.scoring import BINS, confidence_bins, confusion_scores

RESAMPLES = 1_000
SEED = 13
_CELLS = 4_000_000
"""Array elements held at the same time."""

Interval = tuple[float, float]


def label_intervals(matrix: NDArray[np.int64], resamples: int = RESAMPLES) -> dict[str, Interval]:
    """95 % intervals (low, high) of the scores of `confusion_scores` for one matrix [classes, classes], by their names.

    If n texts are drawn with replacement, the cells of their confusion matrix follow a multinomial distribution.
    """
    total = int(matrix.sum())
    drawn = _rng().multinomial(total, matrix.ravel() / total, size=resamples)
    return {
        name: _interval(values) for name, values in confusion_scores(drawn.reshape(resamples, *matrix.shape)).items()
    }


def calibration_interval(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], resamples: int = RESAMPLES, bins: int = BINS
) -> Interval:
    """95 % interval (low, high) of the expected calibration error over `bins` bins.

    `confidence` [texts] is the probability of the predicted label, `correct` [texts] marks those that are right.
    """
    gaps = correct.astype(float) - confidence
    places = confidence_bins(confidence, bins)
    count, errors = len(gaps), []
    for chunk, drawn in _draws(count, resamples):
        cells = places[drawn] + np.arange(chunk)[:, None] * bins
        sums = np.bincount(cells.ravel(), weights=gaps[drawn].ravel(), minlength=chunk * bins)
        errors.append(np.abs(sums.reshape(chunk, bins)).sum(axis=1) / count)
    return _interval(np.concatenate(errors))


def span_interval(counts: NDArray[np.int64], resamples: int = RESAMPLES) -> Interval:
    """95 % interval (low, high) of micro-F1; `counts` is [texts, 3]: correct, predicted and true spans of each text."""
    values = []
    for _, drawn in _draws(len(counts), resamples):
        correct, predicted, true = counts[drawn].sum(axis=1).T
        values.append(2 * correct / np.maximum(1, predicted + true))
    return _interval(np.concatenate(values))


def _draws(count: int, resamples: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield (rows, indices [rows, count]) of resampled texts, in chunks of `resamples` rows altogether."""
    rng, chunk = _rng(), max(1, _CELLS // count)
    for first in range(0, resamples, chunk):
        size = min(chunk, resamples - first)
        yield size, rng.integers(0, count, (size, count))


def _interval(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)
