"""Selection of the sums that are scored: over how many of the latest windows the counts of a key are added up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from triage.alerting.detection.verdicts import Floats

_HOUR_S = 3_600
# Number of windows: offset of the score. Each further sum is a further chance of a false alert.
_LONG = {1: 0.9, 2: 0.0, 6: 1.5}
# Spikes of rare complaints take hours to accumulate: windows of minutes have wider sums. Sums of a few minutes must
# stand out more: real counts often burst for minutes, and what is over before anybody reads the page needs none.
_SHORT = {1: 2.0, 2: 1.2, 6: 0.6, 12: 0.0, 36: 0.3}
_SHORT_UP_TO_S = 900


@dataclass(frozen=True, slots=True, eq=False)
class Widths:
    """The numbers of latest windows over which counts are summed; each sum is scored separately.

    `sizes` are in windows, ascending. `offsets`, of shape (widths, 1), are subtracted from the scores, because each
    additional sum is an additional chance of a false alert.
    """

    sizes: tuple[int, ...]
    offsets: Floats

    @property
    def widest(self) -> int:
        return self.sizes[-1]

    @property
    def last(self) -> list[int]:
        """Index of the oldest window in each sum, if windows are counted from 0 at the newest."""
        return [size - 1 for size in self.sizes]


def widths_for(step_s: int, threshold: float, short: Mapping[int, float] = _SHORT) -> Widths:
    """Return the sums to score, for windows of `step_s` seconds and a rule that fires above the score `threshold`.

    Windows shorter than an hour are more frequent, so their sums must be proportionally rarer: the number of false
    alerts per week then does not depend on the step. `short` has the offset of each sum for windows of minutes.
    """
    chosen = short if step_s <= _SHORT_UP_TO_S else _LONG
    offsets = [offset + _more_often(min(step_s * size, _HOUR_S), threshold) for size, offset in chosen.items()]
    return Widths(tuple(chosen), np.array(offsets)[:, None])


def _more_often(length_s: int, threshold: float) -> float:
    usual = float(ndtr(-threshold))
    return float(-ndtri(usual * length_s / _HOUR_S)) - threshold if usual > 0 else 0.0
