"""Figures of rankings and of abstention, with intervals."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1_000
_SEED = 20
RIGHT = 0.95


def rank_of(ranking: Sequence[str], articles: Sequence[str]) -> int | None:
    """Rank of the first right article, from 1; None if the ranking has none."""
    return next((rank for rank, each in enumerate(ranking, 1) if each in articles), None)


def hits(ranks: Sequence[int | None], k: int) -> list[float]:
    return [float(rank is not None and rank <= k) for rank in ranks]


def reciprocal(ranks: Sequence[int | None], k: int = 10) -> list[float]:
    return [1 / rank if rank is not None and rank <= k else 0.0 for rank in ranks]


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval (low, high) of the mean of `values`, by resampling with a fixed seed; (0, 0) without values."""
    if not values:
        return 0.0, 0.0
    data = np.asarray(values)
    draws = np.random.default_rng(_SEED).integers(0, len(data), (_RESAMPLES, len(data)))
    low, high = np.quantile(data[draws].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def auroc(scores: Sequence[float], right: Sequence[bool]) -> float | None:
    """Chance that a right answer has a higher score than a wrong one; None if all are right, or all wrong."""
    positive = np.array([score for score, good in zip(scores, right, strict=True) if good])
    negative = np.array([score for score, good in zip(scores, right, strict=True) if not good])
    if not len(positive) or not len(negative):
        return None
    return float(_above(positive, negative))


def auroc_interval(scores: Sequence[float], right: Sequence[bool]) -> tuple[float, float]:
    """95 % interval (low, high) of `auroc`, by resampling with a fixed seed."""
    values, good = np.asarray(scores), np.asarray(right)
    generator = np.random.default_rng(_SEED)
    found = []
    for _ in range(200):
        draw = generator.integers(0, len(values), len(values))
        positive, negative = values[draw][good[draw]], values[draw][~good[draw]]
        if len(positive) and len(negative):
            found.append(_above(positive, negative))
    low, high = np.quantile(found, [0.025, 0.975]) if found else (0.0, 1.0)
    return float(low), float(high)


def coverage(scores: Sequence[float], right: Sequence[bool], target: float = RIGHT) -> float:
    """Largest share of questions, those with the highest scores, of which a share `target` is answered right."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    good = np.cumsum(np.asarray(right, np.float64)[order])
    share = good / np.arange(1, len(good) + 1)
    enough = np.flatnonzero(share >= target)
    return float((enough[-1] + 1) / len(good)) if len(enough) else 0.0


def reliability(scores: Sequence[float], right: Sequence[bool], groups: int = 10) -> list[tuple[int, float, float]]:
    """Of `groups` groups of about the same size, by rising score: size, mean score, share that is right.

    Scores are probabilities that can be believed if both shares are near to each other in every group.
    """
    values, good = np.asarray(scores, np.float64), np.asarray(right, np.float64)
    parts = np.array_split(np.argsort(values, kind="stable"), groups)
    return [(len(part), float(values[part].mean()), float(good[part].mean())) for part in parts if len(part)]


def _above(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left")
    equal = np.searchsorted(ordered, positive, "right") - below
    return float((below + equal / 2).mean() / len(negative))
