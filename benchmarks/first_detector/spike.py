"""The spike detector of a rule: one step per closed window, all keys at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_detector.baseline import Baseline, Columns, Expected
from triage.alerting.detection import heavy_tail
from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.state import KeyStates, Layout
from triage.alerting.detection.tail import surprise
from triage.alerting.detection.verdicts import Floats, Verdicts

_Z_COUNT = 3.8
# Number of other records that is assumed before there are any.
_SURGE_PRIOR = 2.0
# A count with a lower score does not fire, whatever its share.
_RATIO_FROM = 1.0


class FirstDetector:
    """Scores the keys of one rule. Deterministic and free of I/O; keys don't influence each other.

    Windows are `step_s` seconds long and must be stepped in order. State is per key: after `snapshot` and `restore`,
    the same steps give the same verdicts, bit by bit.
    """

    def __init__(self, settings: SpikeSettings, step_s: int) -> None:
        if step_s < 1:
            raise ValueError(f"step_s must be at least 1, not {step_s}")
        self.settings = settings
        self.step_s = step_s
        self._step_ms = step_s * 1000
        self._z_count = settings.z_count or _Z_COUNT
        self._baseline = Baseline(settings, step_s)
        layout = Layout(self._baseline.sizes() | dict.fromkeys(("quantile", "excess", "inside"), 1))
        blank = np.zeros(layout.rows)
        blank[layout.slices["level"]] = self._baseline.blank_level()
        blank[layout.slices["quantile"]] = heavy_tail.NORMAL_QUANTILE
        blank[layout.slices["excess"]] = heavy_tail.NORMAL_EXCESS
        self._states = KeyStates(layout, self._baseline.tables.rows, blank)
        self._last: int | None = None
        self._phase_ms = 0

    @property
    def keys(self) -> Sequence[str]:
        """Known keys, in the order of the arrays of verdicts; the order changes when keys are added or removed."""
        return self._states.names

    @property
    def last_start_ms(self) -> int | None:
        """Start of the window that was stepped last, in ms since the epoch; None before the first step."""
        return None if self._last is None else self._last * self._step_ms + self._phase_ms

    def step(
        self, start_ms: int, keys: Sequence[str], negative: NDArray[np.float64], total: NDArray[np.float64] | None
    ) -> Verdicts:
        """Score the closed window that starts at `start_ms`. Known keys that are not in `keys` had no record in it.

        `negative` and `total` are aligned with `keys`. An unknown total is NaN, or None for all keys: then only the
        count is scored. Windows that were skipped since the last step are taken as empty. Raises ValueError for a
        window that is not after the last one.
        """
        number = self._number(start_ms)
        columns = self._states.locate(keys)
        count, records = np.zeros(len(self._states)), np.zeros(len(self._states))
        count[columns] = negative
        records[columns] = -1.0 if total is None else np.where(np.isnan(total), -1.0, total)
        return self._evaluate(number, count, records)

    def _number(self, start_ms: int) -> int:
        number, phase_ms = divmod(start_ms, self._step_ms)
        if self._last is not None and number <= self._last:
            raise ValueError(f"window {start_ms} is not after the last one, {self.last_start_ms}")
        self._phase_ms = phase_ms
        return number

    def _evaluate(self, number: int, count: Floats, records: Floats) -> Verdicts:
        states, settings = self._states, self.settings
        self._last = number
        start_ms = number * self._step_ms + self._phase_ms
        expected = self._baseline.expect(states, number, start_ms, count, records)
        learning = states.row("age") <= self._baseline.learning_windows
        z_widths = self._count_scores(expected)
        z_count = z_widths.max(axis=0)
        if settings.heavy_tail:
            quantile, excess = states.row("quantile"), states.row("excess")
            calibrated = heavy_tail.recalibrate(z_count, quantile, excess)
            heavy_tail.learn(z_count, quantile, excess, states.row("inside"), ~learning)
            z_widths, z_count = z_widths + (calibrated - z_count), calibrated
        z_ratio = np.full(len(states), np.inf)
        chosen = (z_count > _RATIO_FROM).nonzero()[0]
        score = z_count
        if len(chosen) and settings.z_ratio > 0:
            z_ratio[chosen] = self._ratio_scores(expected, chosen)
            score = np.minimum(z_count, z_ratio * (self._z_count / settings.z_ratio))
        score = np.where(learning, 0.0, np.maximum(score, 0.0))
        firing = score > self._z_count
        self._baseline.learn(states, number, expected)
        return Verdicts(
            start_ms=start_ms,
            index=states.index,
            firing=firing,
            expected=expected.mean[0],
            score=score,
            learning=learning,
            z_count=z_count,
            z_ratio=z_ratio,
            widths=self._baseline.widths.sizes,
            windows=(z_widths > self._z_count) & firing,
            threshold=self._z_count,
        )

    def _count_scores(self, expected: Expected) -> Floats:
        """Score of the sum of each width, shape (widths, keys)."""
        spread, rows = self._baseline.spread, self._states.rows("spread")
        phi = spread.prudent(rows, spread.phi(rows))
        variance = spread.variance(rows, expected.mean, phi) + expected.mean**2 * expected.unsure
        z: Floats = surprise(expected.count, expected.mean, variance) - self._baseline.widths.offsets
        z[(expected.count < self.settings.min_count) & (z > 0)] = 0.0
        return z

    def _ratio_scores(self, expected: Expected, chosen: Columns) -> Floats:
        """Score of the share of the chosen keys, infinite where records are not known: the larger of two.

        The first compares the share with the usual share. The second compares the count with the usual count, scaled
        by the surge of the other records: without a surge few negatives can be a spike, although the share of a few
        records is uncertain.
        """
        states, baseline = self._states, self._baseline
        best = np.full(len(chosen), np.inf)
        records = states.rows("records")[expected.order][:, chosen]
        known = (records >= 0).all(axis=0)
        if not known.any():
            return best
        share, share_counts = baseline.share(states, chosen)
        count, usual = expected.count[:, chosen], expected.mean[:, chosen]
        exposure = np.cumsum(np.maximum(records, 0), axis=0)[baseline.widths.last]

        rows, mean = states.rows("share_spread")[:, chosen], exposure * share
        phi = baseline.share_spread.phi(rows)
        variance = baseline.share_spread.variance(rows, mean, phi) + mean * mean * phi / share_counts
        by_share = surprise(count, mean, variance)

        rows, others = states.rows("spread")[:, chosen], np.maximum(exposure - count, 0.0) + _SURGE_PRIOR
        mean = usual * np.maximum(others / (usual * (1 - share) / share + _SURGE_PRIOR), 1.0)
        phi = baseline.spread.phi(rows)
        variance = baseline.spread.variance(rows, mean, phi)
        variance += mean * mean * (expected.unsure[chosen] + phi[0] / others)
        by_surge = surprise(count, mean, variance)
        best[known] = (np.maximum(by_share, by_surge) - self._baseline.widths.offsets).max(axis=0)[known]
        return best
