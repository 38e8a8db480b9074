"""Dispersion of counts: how much they vary around their expected mean, learned separately for each width of sum.

The width of a sum is its number of windows.
"""

import numpy as np

from triage.alerting.detection.verdicts import Floats

# Prior: counts vary more than a Poisson variable, with the weight of this many counts.
_PRIOR_PHI = 2.0
_PRIOR_COUNTS = 8.0
MARGIN = 1.5


class Spread:
    """Learns how much the counts of each key vary around their mean, for sums over one or more windows.

    The variance is half quasi-Poisson (phi times the mean), half negative binomial. Neighbouring windows are correlated
    in real counts, so wider sums have their own statistics; their phi is never below that of single windows. Arrays are
    of shape (widths, keys). Rows of the state: for each width the discounted sum of squared residuals, then of means,
    then of squared means. `kept` is the factor that discounts these sums at each window, `floor` the minimum of phi,
    and `margin` the number of standard errors that a prudent phi is higher.
    """

    def __init__(self, widths: int, kept: float, floor: float, margin: float = MARGIN) -> None:
        self.rows = 3 * widths
        self._widths = widths
        self._kept = kept
        self._floor = floor
        self._margin = margin

    def phi(self, rows: Floats) -> Floats:
        """Quasi-Poisson dispersion (variance / mean) of sums of each width (widths, keys); `rows` is the state."""
        widths = self._widths
        phi = rows[:widths] + _PRIOR_PHI * _PRIOR_COUNTS
        phi /= rows[widths : 2 * widths] + _PRIOR_COUNTS
        np.maximum(phi, self._floor, out=phi)
        np.maximum(phi[1:], phi[0], out=phi[1:])
        return phi

    def prudent(self, rows: Floats, phi: Floats) -> Floats:
        """The dispersion plus a margin for its uncertainty, which is larger for rare and for dispersed counts.

        The margin is a multiple of the standard error of phi, the sum of squared residuals divided by the sum of means.
        One squared residual of a negative binomial count with a small mean m has a variance of about m phi (6 phi² - 6
        phi + 1), so the variance of phi is phi (6 phi² - 6 phi + 1) divided by the sum of means.
        """
        counts = rows[self._widths : 2 * self._widths] + _PRIOR_COUNTS
        return phi + self._margin * np.sqrt(np.maximum(phi * (6 * phi * (phi - 1) + 1), 0.0) / counts)

    def variance(self, rows: Floats, mean: Floats, phi: Floats) -> Floats:
        """Variance of sums with the expected `mean` and dispersion `phi`, of shape (widths, keys); `rows` is the
        state.
        """
        widths = self._widths
        kappa = rows[:widths] - rows[widths : 2 * widths]
        kappa /= rows[2 * widths :] + _PRIOR_COUNTS
        np.maximum(kappa, 0.0, out=kappa)
        kappa *= mean
        kappa += phi
        kappa += 1.0
        kappa *= mean
        kappa *= 0.5
        return kappa

    def learn(self, rows: Floats, count: Floats, mean: Floats) -> None:
        """Update the state `rows` in place with observed sums and their expected means; a mean of 0 adds nothing."""
        widths = self._widths
        residual = (count - mean) * (mean > 0)
        rows *= self._kept
        rows[:widths] += residual * residual
        rows[widths : 2 * widths] += mean
        rows[2 * widths :] += mean * mean
