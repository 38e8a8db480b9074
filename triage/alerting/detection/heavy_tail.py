"""Recalibration of scores to a key's own distribution: a score that is rare for most keys may be common for one."""

import numpy as np

from triage.alerting.detection.verdicts import Bools, Floats

# Of a standard normal score: its 99 % quantile and the mean excess over it.
NORMAL_QUANTILE = 2.326
NORMAL_EXCESS = 0.339
_SHARE = 0.01
_STEP = 0.25
_EXCESS_RATE = 0.08
_MAX_EXCESS = 6.0
_QUANTILE_TOLERANCE = 0.7
_EXCESS_TOLERANCE = 1.5


def recalibrate(score: Floats, quantile: Floats, excess: Floats) -> Floats:
    """Lower the scores of keys with a heavy tail, so that equal scores are equally rare for all keys.

    The tail of a key's scores is modelled as exponential above its 99 % `quantile`, with the mean `excess` above it. A
    score is replaced by the one that is equally rare in a normal distribution. Only clear differences from the normal
    quantile and excess count, because both are noisy estimates. Arrays are of shape (keys,).
    """
    quantile = np.maximum(quantile - _QUANTILE_TOLERANCE, NORMAL_QUANTILE)
    excess = np.maximum(excess / _EXCESS_TOLERANCE, NORMAL_EXCESS)
    over = score - quantile
    heavy = (quantile > NORMAL_QUANTILE) | (excess > NORMAL_EXCESS)
    return np.where(heavy, NORMAL_QUANTILE + np.where(over > 0, over * (NORMAL_EXCESS / excess), over), score)


def learn(score: Floats, quantile: Floats, excess: Floats, inside: Floats, active: Bools) -> None:
    """Update in place each key's running 99 % quantile of scores, and the mean excess above it.

    Only keys where `active` is true learn. `inside` marks the keys that were above their quantile in the previous step:
    consecutive steps above it count as one.
    """
    exceeds = (score > quantile) & active
    first = exceeds & (inside == 0)
    over = np.minimum(score - quantile, _MAX_EXCESS)
    excess += np.where(first, _EXCESS_RATE * (over - excess), 0.0)
    np.maximum(excess, NORMAL_EXCESS, out=excess)
    quantile += np.where(first, _STEP * (1 - _SHARE), np.where(exceeds | ~active, 0.0, -_STEP * _SHARE))
    np.maximum(quantile, NORMAL_QUANTILE, out=quantile)
    inside[:] = exceeds
