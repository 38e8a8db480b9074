"""Score of how surprising a count is: its upper tail probability as a z score."""

import numpy as np
from scipy.special import betainc, ndtri

from triage.alerting.detection.verdicts import Floats

# Below it the exact tail is not needed: every threshold is higher.
_EXACT_FROM = 1.0
_UNDERFLOW = 1e-290


def surprise(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """Score how unexpectedly high a count is: the mid-p upper tail of a negative binomial, as a z score.

    The distribution has this `mean` and `variance`; all arrays have the same shape. The score is 0 where the mean is 0
    or less. Scores below about 1 are approximated by Pearson's residual.
    """
    safe = np.maximum(mean, 1e-9)
    # A negative binomial varies more than its mean; close to it, it is a Poisson variable.
    spread = np.maximum(variance, safe * 1.001)
    z: Floats = (count - safe) / np.sqrt(spread)
    flat = z.reshape(-1)
    chosen = (flat > _EXACT_FROM).nonzero()[0]
    if len(chosen):
        flat[chosen] = _exact(count.reshape(-1)[chosen], safe.reshape(-1)[chosen], spread.reshape(-1)[chosen])
    z[mean <= 0] = 0.0
    return z


def upper_quantile(mean: Floats, variance: Floats, z: Floats | float) -> Floats:
    """The count that a negative binomial exceeds with the probability that a standard normal variable exceeds `z`.

    An approximation by the first term of the Cornish-Fisher expansion; arrays have the same shape.
    """
    safe = np.maximum(mean, 1e-9)
    sd = np.sqrt(np.maximum(variance, safe))
    skewness = (2 * sd * sd / safe - 1) / sd
    return np.asarray(mean + sd * (z + skewness * (z * z - 1) / 6))


def _exact(count: Floats, mean: Floats, variance: Floats) -> Floats:
    size = mean * mean / (variance - mean)
    odds = mean / (size + mean)
    tail = 0.5 * (betainc(np.maximum(count, 1e-9), size, odds) + betainc(count + 1, size, odds))
    z = -ndtri(np.maximum(tail, _UNDERFLOW))
    lost = tail < _UNDERFLOW
    if lost.any():
        z[lost] = np.maximum(z[lost], _deviance(count[lost], mean[lost], size[lost]))
    return np.asarray(z, dtype=np.float64)


def _deviance(count: Floats, mean: Floats, size: Floats) -> Floats:
    """Root of the negative binomial's deviance, which approximates the z score where the tail underflows."""
    deviance = count * np.log(count / mean) - (count + size) * np.log((count + size) / (mean + size))
    return np.asarray(np.sqrt(2 * np.maximum(deviance, 0)))
