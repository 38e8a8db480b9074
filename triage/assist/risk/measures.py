"""Measures of estimated probabilities: discrimination, calibration, levels, and drift of their distribution."""

from collections.abc import Mapping
from math import sqrt

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from triage.intervals import wilson

Floats = NDArray[np.float64]
BINS = 10
_Z = 1.959964
DRIFT_NOTED = 0.2
"""Population stability index above which a distribution counts as changed."""


class LevelMeasure(msgspec.Struct, kw_only=True):
    """Records of a level and of those above it: their number, and their share of all those with the outcome (`recall`).

    `precision` is the share of them that have the outcome, `low` to `high` its 95 % interval.
    """

    records: int
    precision: float
    low: float
    high: float
    recall: float


class Measures(msgspec.Struct, kw_only=True):
    """Results of estimated probabilities on labelled records; `positives` have the outcome.

    `auc_low` to `auc_high` is the 95 % interval of `auc`; `ece` is the expected calibration error.
    `brier_of_base_rate` is the Brier score of the share of positives as every record's probability. `levels` are by
    name.
    """

    records: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    ece: float
    brier: float
    brier_of_base_rate: float
    levels: dict[str, LevelMeasure]


def measure(probabilities: Floats, truth: Floats, levels: Mapping[str, float]) -> Measures:
    """Measure probabilities [records] against the truth [records], 0 or 1, of which both must occur.

    `levels` has the least probability of each level.
    """
    auc, low, high = auc_interval(probabilities, truth)
    return Measures(
        records=len(truth),
        positives=int(truth.sum()),
        auc=auc,
        auc_low=low,
        auc_high=high,
        ece=calibration_error(probabilities, truth),
        brier=float(((probabilities - truth) ** 2).mean()),
        brier_of_base_rate=float(truth.mean() * (1 - truth.mean())),
        levels={name: _level(probabilities >= limit, truth) for name, limit in levels.items()},
    )


def _level(chosen: NDArray[np.bool_], truth: Floats) -> LevelMeasure:
    number, hits = int(chosen.sum()), int(truth[chosen].sum())
    low, high = wilson(hits, number)
    return LevelMeasure(
        records=number,
        precision=hits / number if number else 0.0,
        low=low,
        high=high,
        recall=hits / max(1, int(truth.sum())),
    )


def auc_interval(scores: Floats, truth: Floats) -> tuple[float, float, float]:
    """Area under the ROC curve, and the ends of its 95 % interval (Hanley and McNeil 1982).

    `scores` and `truth` (0 or 1, both must occur) are [records].
    """
    positives = int(truth.sum())
    negatives = len(truth) - positives
    auc = (float(rankdata(scores)[truth > 0].sum()) - positives * (positives + 1) / 2) / (positives * negatives)
    one, two = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (positives - 1) * (one - auc * auc) + (negatives - 1) * (two - auc * auc)) / (
        positives * negatives
    )
    half = _Z * sqrt(max(0.0, variance))
    return auc, max(0.0, auc - half), min(1.0, auc + half)


def calibration_error(probabilities: Floats, truth: Floats) -> float:
    """Expected calibration error over ten bins of equal width, weighted by their size; both arrays are [records]."""
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    gaps = [
        (places == place).sum() * abs(float(probabilities[places == place].mean() - truth[places == place].mean()))
        for place in np.unique(places)
    ]
    return float(sum(gaps) / len(truth))


def score_deciles(probabilities: Floats) -> list[float]:
    """The nine limits that divide sorted probabilities into ten classes of equal size."""
    return [float(value) for value in np.quantile(probabilities, np.arange(1, 10) / 10)]


def stability_index(deciles: list[float], expected: list[float], probabilities: Floats) -> float:
    """Population stability index between the shares `expected` [10] of the ten classes and those of new probabilities.

    `deciles` are the limits of the classes, from `score_deciles`; 0 means equal shares.
    """
    share = class_shares(deciles, probabilities)
    one, two = np.clip(share, 1e-4, None), np.clip(expected, 1e-4, None)
    return float(((one - two) * np.log(one / two)).sum())


def class_shares(deciles: list[float], probabilities: Floats) -> list[float]:
    """Share of the probabilities in each of the ten classes between the limits `deciles`."""
    counts = np.bincount(np.searchsorted(deciles, probabilities, side="right"), minlength=len(deciles) + 1)
    return [float(count) for count in counts / max(1, len(probabilities))]
