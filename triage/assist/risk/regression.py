"""Logistic regression with an L2 penalty, and calibration of its log-odds, by scipy."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize
from scipy.sparse import csr_matrix
from scipy.special import expit, log_expit, logit

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]
"""Log-odds and probabilities of a calibration, between which lines are drawn."""
_GRID = np.linspace(-15.0, 15.0, 601)
_FOLDS = 5


def fit_weights(
    rows: csr_matrix, truth: Floats, strength: float, start: Floats | None = None, iterations: int = 200
) -> tuple[Floats, float]:
    """Weights [columns] and bias that minimize strength × log loss + ½ |weights|²; the bias has no penalty.

    `rows` is [records, columns], `truth` [records] is 0 or 1; `start` are weights and bias to begin with. The same
    objective as scikit-learn's LogisticRegression(C=strength).
    """
    transposed = rows.T.tocsr()
    sign = 2 * truth - 1

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[:-1], parameters[-1]
        scores = rows @ weights + bias
        error = strength * (expit(scores) - truth)
        gradient = np.append(transposed @ error + weights, error.sum())
        value = -strength * float(log_expit(sign * scores).sum()) + 0.5 * float(weights @ weights)
        return value, gradient

    if start is None:
        start = np.zeros(rows.shape[1] + 1)
        start[-1] = logit(np.clip(truth.mean(), 1e-6, 1 - 1e-6))
    options = {"maxiter": iterations, "gtol": 1e-3, "ftol": 1e-7}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return found.x[:-1], float(found.x[-1])


def log_loss(probabilities: Floats, truth: Floats) -> float:
    """Mean log loss of probabilities against `truth` (0 or 1), clipped to 1e-6 from 0 and 1."""
    kept = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return float(-(truth * np.log(kept) + (1 - truth) * np.log(1 - kept)).mean())


def platt(scores: Floats, truth: Floats) -> Points:
    """Platt's sigmoid from log-odds `scores` to probabilities, fitted with smoothed targets (Platt 1999).

    It is returned as points (log-odds, probabilities) of a fine grid, between which `apply` interpolates.
    """
    positives, n = truth.sum(), len(truth)
    targets = np.where(truth > 0, (positives + 1) / (positives + 2), 1 / (n - positives + 2))

    def loss(parameters: Floats) -> float:
        mapped = parameters[0] * scores + parameters[1]
        return -float((targets * log_expit(mapped) + (1 - targets) * log_expit(-mapped)).sum())

    slope, shift = minimize(
        loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-5, "maxiter": 2_000}
    ).x
    return _GRID, expit(max(slope, 1e-3) * _GRID + shift)


def isotonic(scores: Floats, truth: Floats) -> Points:
    """The non-decreasing function from log-odds `scores` to probabilities that is closest to `truth` (0 or 1).

    It is returned as points (log-odds, probabilities), between which `apply` interpolates. Laplace's correction keeps
    probabilities off 0 and 1.
    """
    order = np.argsort(scores, kind="stable")
    fitted = isotonic_regression(truth[order])
    starts = fitted.blocks[:-1]
    sizes = np.diff(fitted.blocks)
    middles = np.add.reduceat(scores[order], starts) / sizes
    levels = (np.add.reduceat(truth[order], starts) + 0.5) / (sizes + 1)
    return middles, np.maximum.accumulate(levels)


def apply(points: Points, scores: Floats) -> Floats:
    """Convert log-odds to probabilities by interpolating between the points (log-odds, probabilities)."""
    return np.interp(scores, *points)


_CALIBRATIONS: dict[str, Callable[[Floats, Floats], Points]] = {"platt": platt, "isotonic": isotonic}


def calibrate(scores: Floats, truth: Floats) -> tuple[str, Points, dict[str, float]]:
    """Choose between Platt's sigmoid and isotonic steps by log loss over five folds; fit the better one on all.

    `scores` are log-odds [records], `truth` is 0 or 1 [records]. Returns the name of the better one, its points
    (log-odds, probabilities), and the log loss of both by name.
    """
    folds = _folds(truth)
    losses: dict[str, float] = {}
    for name, fit in _CALIBRATIONS.items():
        found = np.empty(len(scores))
        for part in range(_FOLDS):
            held = folds == part
            found[held] = apply(fit(scores[~held], truth[~held]), scores[held])
        losses[name] = log_loss(found, truth)
    best = min(losses, key=losses.__getitem__)
    return best, _CALIBRATIONS[best](scores, truth), losses


def _folds(truth: Floats) -> NDArray[np.int64]:
    """Fold of each row: positives and negatives each dealt in turn, so that every fold has both."""
    folds = np.zeros(len(truth), np.int64)
    for value in (0.0, 1.0):
        places = np.flatnonzero(truth == value)
        folds[places] = np.arange(len(places)) % _FOLDS
    return folds


def best_strength(
    rows: csr_matrix, truth: Floats, other: csr_matrix, other_truth: Floats, strengths: Sequence[float]
) -> tuple[float, Floats, float]:
    """Fit weights on `rows` for each strength; return that with the least log loss on `other`, its weights and bias.

    `truth` and `other_truth` (0 or 1) belong to the two matrices [records, columns]. A higher strength is a weaker
    penalty.
    """
    fitted: dict[float, tuple[Floats, float]] = {}
    start: Floats | None = None
    for strength in strengths:
        # Each begins where the one before ended, which is near.
        fitted[strength] = fit_weights(rows, truth, strength, start)
        start = np.append(*fitted[strength])
    losses = {
        strength: log_loss(expit(other @ weights + bias), other_truth) for strength, (weights, bias) in fitted.items()
    }
    best = min(losses, key=losses.__getitem__)
    return best, *fitted[best]
