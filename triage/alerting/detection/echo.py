"""Discount of the scores that follow a high one: what burst once bursts again, and a smaller burst says nothing new.

Counts that are shared or answered come in clusters. After a run of high scores the next run is more probable than the
budget assumes. For some hours it must therefore be higher than usual: by as much as the last one was, less the longer
ago that is.
"""

import numpy as np

from triage.alerting.detection.verdicts import Floats

# Scores above `_FROM` are remembered, up to `_MOST` above it: a second spike that is far higher fires at once.
_FROM, _MOST = 3.0, 2.0
_HALF_LIFE_S = 86_400
# After so many windows without a high score a run is over: while it lasts, it is not discounted.
_OVER_AFTER = 6


class Echo:
    """Remembers the highest score of each key's last run. Arrays are of shape (keys,).

    `ROWS` names the parts of the state that it needs: the remembered score, and the windows since a score was high.
    """

    ROWS = ("echo", "calm")

    def __init__(self, step_s: int) -> None:
        self._kept = 0.5 ** (step_s / _HALF_LIFE_S)

    def discount(self, rows: dict[str, Floats]) -> Floats:
        """Amount to subtract from the scores of the current window; call it before `learn`."""
        echo, calm = (rows[name] for name in self.ROWS)
        return np.asarray(echo * (calm >= _OVER_AFTER))

    def learn(self, rows: dict[str, Floats], score: Floats) -> None:
        """Add a window with these scores, before any discount, to the state."""
        echo, calm = (rows[name] for name in self.ROWS)
        over = score - _FROM
        echo *= self._kept
        np.maximum(echo, np.minimum(over, _MOST), out=echo)
        calm += 1
        calm *= over <= 0
