"""The level: the mean count of a key per window, estimated as a discounted Gamma-Poisson mean.

For windows of a day or longer it also has a trend and a yearly cycle. The model is a dynamic generalised linear model
of the log mean with conjugate updates: West, Harrison & Migon (1985), "Dynamic generalized linear models and Bayesian
forecasting", JASA 80. Without trend and cycle it equals the Gamma-Poisson level exactly.
"""

import math

import numpy as np

from triage.alerting.detection.calendar import DAY_S
from triage.alerting.detection.verdicts import Floats

_YEAR_S = 365.25 * DAY_S
# Prior of the level: half a count in a twentieth of a window, which says next to nothing.
_PRIOR_LEVEL, _PRIOR_LEVEL_VARIANCE = math.log(10.0), 2.0
_SLOPE_SD_PER_YEAR = 0.2
_WAVE_SDS = (0.5, 0.08)
_SLOW_HALF_LIFE_S = 10 * _YEAR_S


class Level:
    """Estimates the mean count per window of each key. A window's weight halves every `half_life_windows`.

    The state is of shape (rows, keys): first the terms of the log mean, then their covariances. The terms are the level
    and, if `slow` (for windows of a day or more), the slope per window and the cosine and sine of the year's harmonics.
    Other arrays are of shape (keys,).
    """

    def __init__(self, step_s: int, half_life_windows: float, *, slow: bool) -> None:
        self._kept = 0.5 ** (1 / half_life_windows)
        self._slow_kept = 0.5 ** (step_s / _SLOW_HALF_LIFE_S)
        self._harmonics = len(_WAVE_SDS) if slow else 0
        self.terms = 2 + 2 * self._harmonics if slow else 1
        self.rows = self.terms + self.terms**2
        self._slope_sd = _SLOPE_SD_PER_YEAR * step_s / _YEAR_S

    def blank(self) -> Floats:
        """Initial state of a new key's level, of shape (rows,)."""
        variances = [_PRIOR_LEVEL_VARIANCE]
        if self.terms > 1:
            variances += [self._slope_sd**2, *(sd**2 for sd in _WAVE_SDS for _ in range(2))]
        blank = np.zeros(self.rows)
        blank[0] = _PRIOR_LEVEL
        blank[self.terms :] = np.diag(variances).ravel()
        return blank

    def predict(self, state: Floats, start_ms: int, ahead: int) -> tuple[Floats, Floats]:
        """Mean count of the window that starts at `start_ms`, before seasonal factors, and its relative variance.

        `ahead` is the number of windows since the last one that the state learned.
        """
        weights = self._weights(start_ms, ahead)
        log_mean, variance, _ = self._project(state, weights)
        return np.exp(log_mean), variance

    def learn(self, state: Floats, start_ms: int, count: Floats, exposure: Floats) -> None:
        """Update the state in place with one window. An exposure of 0 changes nothing.

        `count` is the window's count and `exposure` its seasonal factor, both divided by the dispersion.
        """
        log_mean, variance, gains = self._project(state, self._weights(start_ms, 0))
        shape = 1.0 / variance
        shape_after = shape + count
        log_after = np.log(shape_after / (shape * np.exp(-log_mean) + exposure))
        variance_after = 1.0 / shape_after
        terms = self.terms
        shift = (log_after - log_mean) / variance
        shrink = (1.0 - variance_after / variance) / variance
        for row in range(terms):
            state[row] += gains[row] * shift
        for row in range(terms):
            for column in range(terms):
                state[terms + row * terms + column] -= gains[row] * gains[column] * shrink
        self._evolve(state, exposure > 0)

    def shift(self, state: Floats, columns: np.ndarray, log_ratio: Floats, variance: Floats) -> None:
        """Multiply the level of the keys in `columns` by exp(`log_ratio`), and set its variance to `variance`.

        `columns`, `log_ratio` and `variance` are of shape (n,); the state is changed in place.
        """
        state[0, columns] += log_ratio
        terms = self.terms
        state[terms : terms + terms, columns] = 0.0
        state[terms : terms + terms**2 : terms, columns] = 0.0
        state[terms, columns] = variance

    def _evolve(self, state: Floats, seen: np.ndarray) -> None:
        terms = self.terms
        covariance = state[terms:].reshape(terms, terms, -1)
        if terms > 1:
            state[0] += np.where(seen, state[1], 0.0)
            for row in range(terms):
                covariance[0, row] += np.where(seen, covariance[1, row], 0.0)
            for row in range(terms):
                covariance[row, 0] += np.where(seen, covariance[row, 1], 0.0)
            for row in range(1, terms):
                covariance[row, row] /= np.where(seen, self._slow_kept, 1.0)
        covariance[0, 0] /= np.where(seen, self._kept, 1.0)
        np.minimum(covariance[0, 0], _PRIOR_LEVEL_VARIANCE, out=covariance[0, 0])

    def _weights(self, start_ms: int, ahead: int) -> list[float]:
        if self.terms == 1:
            return [1.0]
        angle = 2 * math.pi * (start_ms / 1000 / _YEAR_S)
        waves = [part(n * angle) for n in range(1, self._harmonics + 1) for part in (math.cos, math.sin)]
        return [1.0, float(ahead), *waves]

    def _project(self, state: Floats, weights: list[float]) -> tuple[Floats, Floats, list[Floats]]:
        """Log mean of a window, its variance, and the covariance of each term with it; arrays of shape (keys,)."""
        terms = self.terms
        if terms == 1:
            return state[0].copy(), state[1].copy(), [state[1].copy()]
        log_mean = state[0] * weights[0]
        for row in range(1, terms):
            log_mean = log_mean + state[row] * weights[row]
        gains = []
        for row in range(terms):
            gain = state[terms + row * terms] * weights[0]
            for column in range(1, terms):
                gain = gain + state[terms + row * terms + column] * weights[column]
            gains.append(gain)
        variance = gains[0] * weights[0]
        for row in range(1, terms):
            variance = variance + gains[row] * weights[row]
        return log_mean, variance.clip(1e-12), gains
