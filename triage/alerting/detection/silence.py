"""Score of a silence: how improbable it is that a key has no record for so long, at its usual rate. Pure."""

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection.verdicts import Floats
from triage.clock import DAY_MS

_WEEK_MS = 7 * DAY_MS
# Hours (or days of the week) with less than this share of the usual records are a key's nights (or free days) ...
_RESTING = 0.1
# ... once so many records would have been expected in them.
_KNOWN = 20.0
# Even the steadiest source pauses more often than a Poisson process does.
_LEAST_PHI = 2.0


def silence_score(mean: Floats, phi: Floats, unsure: Floats) -> Floats:
    """Return −log10 of the probability of no record when `mean` are expected; all arrays are of shape (keys,).

    The count is negative binomial with the variance phi × mean + unsure × mean²: bursts and an uncertain level make
    long gaps more likely.
    """
    extra = np.maximum(phi, _LEAST_PHI) - 1.0 + unsure * mean
    # With r = mean / extra, the probability of 0 is (1 + extra) ** -r.
    score: Floats = mean / extra * np.log1p(extra) / np.log(10.0)
    return score


def least_score(per_week: float, step_ms: int) -> float:
    """The score above which a silence fires, so that a key has `per_week` false alerts a week at one test per step."""
    return float(np.log10(max(_WEEK_MS / step_ms / per_week, 10.0)))


def resting(counts: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.bool_]:
    """True for the parts of a season in which a key has almost no records; arrays are of shape (parts, keys).

    `counts` are the learned counts of each part, `expected` those to expect without a season.
    """
    rests: NDArray[np.bool_] = (expected >= _KNOWN) & (counts < _RESTING * expected)
    return rests
