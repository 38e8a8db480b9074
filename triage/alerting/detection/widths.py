"""Which sums of windows are judged, and how much each has to stand out."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from triage.alerting.detection.verdicts import Floats

_HOUR_S = 3_600
# Windows summed, and what is taken off the score of each sum: more sums are more chances to be wrong.
_LONG = {1: 0.9, 2: 0.0, 6: 1.5}
# Spikes of rare complaints take hours to add up: windows of minutes are summed further.
_SHORT = {1: 0.8, 2: 0.3, 6: 0.3, 12: 0.3, 36: 0.6}
_SHORT_UP_TO_S = 900


@dataclass(frozen=True, slots=True, eq=False)
class Widths:
    """`sizes` in windows, ascending; `offsets` of shape (widths, 1)."""

    sizes: tuple[int, ...]
    offsets: Floats

    @property
    def widest(self) -> int:
        return self.sizes[-1]

    @property
    def last(self) -> list[int]:
        """Places of the sums among the cumulative sums of the windows, newest first."""
        return [size - 1 for size in self.sizes]


def widths_for(step_s: int, threshold: float) -> Widths:
    """Sums for windows of this length.

    Windows shorter than an hour come more often: their sums must be as much rarer, so that a week has as many false
    alerts whatever the step is.
    """
    chosen = _SHORT if step_s <= _SHORT_UP_TO_S else _LONG
    offsets = [offset + _more_often(min(step_s * size, _HOUR_S), threshold) for size, offset in chosen.items()]
    return Widths(tuple(chosen), np.array(offsets)[:, None])


def _more_often(length_s: int, threshold: float) -> float:
    usual = float(ndtr(-threshold))
    return float(-ndtri(usual * length_s / _HOUR_S)) - threshold if usual > 0 else 0.0
