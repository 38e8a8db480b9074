"""Fits the temperature and the thresholds of the risk head on texts that it was not trained on."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MOST_FALSE = 0.018
"""Share of the texts without a risk that may be reported, as the mean of several sets."""
MOST_FALSE_REAL = 0.002
"""The same for the second set and further ones: real texts, of which nearly none has the risk."""
_LOWEST, _HIGHEST = 0.2, 0.95


def fit_temperature(logits: NDArray[np.float32], targets: NDArray[np.float32]) -> float:
    """The divisor of the logits, from 0.3 to 3, with the smallest log loss; both arrays are [texts, risks]."""
    grid = np.linspace(0.3, 3.0, 55)
    losses = [np.logaddexp(0.0, np.where(targets > 0, -1, 1) * logits / divisor).mean() for divisor in grid]
    return round(float(grid[int(np.argmin(losses))]), 2)


def fit_threshold(
    sets: Iterable[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]], temperature: float
) -> float:
    """The lowest probability, from .2 to .95, that reports at most `MOST_FALSE` and `MOST_FALSE_REAL`.

    Each set has logits, targets and weights [texts] of one risk; a weight of 0 means that the target is unknown.
    """
    negatives = [
        1 / (1 + np.exp(-logits[(targets == 0) & (weights > 0)].astype(np.float64) / temperature))
        for logits, targets, weights in sets
    ]
    for threshold in np.arange(_LOWEST, _HIGHEST, 0.01):
        shares = [float((each >= threshold).mean()) for each in negatives if each.size]
        if np.mean(shares) <= MOST_FALSE and max(shares[1:], default=0.0) <= MOST_FALSE_REAL:
            return round(float(threshold), 2)
    return _HIGHEST
