"""Implements Farrington Flexible (Noufaily et al. 2013) for many weekly series at the same time, in numpy.

A quasi-Poisson regression on five years of weeks with a trend and a ten-level seasonal factor, without the last 26
weeks. Weeks of past outbreaks (Anscombe residual above 2.58) get a lower weight, and the regression is repeated. The
score is the surprise of this week's count under a negative binomial with the fitted mean and variance, or its
standardized deviation on the 2/3-power scale.
"""

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection.tail import surprise

Floats = NDArray[np.float64]
_YEARS, _HALF_WINDOW, _LEVELS, _LEFT_OUT = 5, 3, 10, 26
_OUTBREAK = 2.58
_ROUNDS = 12


def farrington(counts: Floats, weeks: int) -> tuple[Floats, Floats]:
    """Scores [weeks, series] of the last `weeks` weeks of `counts` [all weeks, series].

    The first are by negative binomial, the second by 2/3 power.
    """
    by_quantile, by_power = (np.zeros((weeks, counts.shape[1])) for _ in range(2))
    for row, week in enumerate(range(len(counts) - weeks, len(counts))):
        by_quantile[row], by_power[row] = _week(counts, week)
    return by_quantile, by_power


def _week(counts: Floats, week: int) -> tuple[Floats, Floats]:
    first = max(0, week - _YEARS * 52 - _HALF_WINDOW)
    past = np.arange(first, week - _LEFT_OUT)
    design, now = _design(past, week, trend=True)
    seen = counts[past].T
    mean, variance, phi = _fit(design, now, seen)
    # A trend that predicts more than was ever counted is not used.
    implausible = mean > seen.max(axis=1)
    if implausible.any():
        design, now = _design(past, week, trend=False)
        mean[implausible], variance[implausible], phi[implausible] = _fit(design, now, seen[implausible])
    count = counts[week]
    spread = phi * mean + variance
    power = 2 / 3
    transformed = count**power - mean**power
    return surprise(count, mean, spread), transformed / (power * mean ** (power - 1) * np.sqrt(spread))


def _design(past: NDArray[np.int64], week: int, *, trend: bool) -> tuple[Floats, Floats]:
    """Design matrix [past weeks, terms] and the row of this week: intercept, trend, and season as ten levels."""
    levels = _levels(past, week)
    columns = [np.ones(len(past))]
    if trend:
        columns.append((past - week) / 52.0)
    columns += [(levels == level).astype(float) for level in range(1, _LEVELS) if (levels == level).any()]
    now = np.zeros(len(columns))
    now[0] = 1.0
    return np.stack(columns, axis=1), now


def _levels(past: NDArray[np.int64], week: int) -> NDArray[np.int64]:
    """Seasonal level of past weeks: 0 around the same week of the year, 1 to 9 in the rest of the year."""
    place = (past - week + _HALF_WINDOW) % 52
    around = 2 * _HALF_WINDOW + 1
    rest = (place - around) * (_LEVELS - 1) // (52 - around) + 1
    return np.where(place < around, 0, rest)


def _fit(design: Floats, now: Floats, seen: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean of this week, variance of the estimate, and dispersion, after one round of reweighting; all [series]."""
    weights = np.ones(seen.shape)
    for _ in range(2):
        fitted, beta, inverse, leverage = _poisson(design, seen, weights)
        free = seen.shape[1] - design.shape[1]
        phi = np.maximum((weights * (seen - fitted) ** 2 / fitted).sum(axis=1) / free, 1.0)
        root = np.sqrt(phi[:, None] * np.clip(1 - leverage, 1e-3, None))
        anscombe = 1.5 * (seen ** (2 / 3) * fitted ** (-1 / 6) - np.sqrt(fitted)) / root
        down = np.where(anscombe > _OUTBREAK, np.maximum(anscombe, 1e-9) ** -2.0, 1.0)
        weights = down * (seen.shape[1] / down.sum(axis=1))[:, None]
    mean = np.exp(np.clip(beta @ now, -20, 20))
    variance = mean**2 * phi * np.einsum("i,kij,j->k", now, inverse, now)
    return mean, np.minimum(variance, 1e6 * mean), phi


def _poisson(design: Floats, seen: Floats, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weighted Poisson regressions by Fisher scoring: fitted means, coefficients, inverse information, leverages."""
    terms = design.shape[1]
    beta = np.zeros((len(seen), terms))
    beta[:, 0] = np.log((weights * seen).sum(axis=1) / weights.sum(axis=1) + 1e-3)
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    # A very weak prior, which keeps the coefficient of a season without cases finite.
    ridge = 1e-3 * np.eye(terms)
    for _ in range(_ROUNDS):
        fitted = np.exp(np.clip(beta @ design.T, -12, 20))
        information = ((weights * fitted) @ outer).reshape(-1, terms, terms) + ridge
        score = (weights * (seen - fitted)) @ design - 1e-3 * (beta - beta[:, :1] * np.eye(terms)[0])
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-4:
            break
    fitted = np.exp(np.clip(beta @ design.T, -12, 20))
    inverse = np.linalg.inv(((weights * fitted) @ outer).reshape(-1, terms, terms) + ridge)
    leverage = weights * fitted * (inverse.reshape(len(seen), -1) @ outer.T)
    return fitted, beta, inverse, leverage
