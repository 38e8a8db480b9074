"""The spike detector of a rule: each step scores one closed window of all keys at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection import heavy_tail
from triage.alerting.detection.baseline import SURGE, Baseline, Columns, Expected
from triage.alerting.detection.calendar import DAY_KIND
from triage.alerting.detection.echo import Echo
from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.state import Added, KeyStates, Layout
from triage.alerting.detection.tail import surprise
from triage.alerting.detection.threshold import REFERENCE, TailModel
from triage.alerting.detection.verdicts import Bools, Floats, Verdicts

# Number of other records that is assumed before there are any.
_SURGE_PRIOR = 2.0
# Up to SURGE times the other records the count is compared with the usual count times the factor.
_SURGE_LEAST, _SURGE_OFFSET = 0.5, 0.5
# A count with a lower score does not fire, whatever its share.
_RATIO_FROM = 1.0


class SpikeDetector:
    """Scores how surprising the latest count of each key of one rule is, and decides which keys fire. No I/O.

    It is deterministic. Keys influence each other only through the common threshold, which keeps all their false alerts
    within the budget; everything else depends on the key alone.

    Windows are `step_s` seconds long and must be stepped in order. State is per key: after `snapshot` and `restore`,
    the same steps give bit-identical verdicts. `budget_share` (0 to 1) is the share of the rule's keys in this
    detector; a budget for all keys is reduced to that share.
    """

    def __init__(self, settings: SpikeSettings, step_s: int, budget_share: float = 1.0) -> None:
        if step_s < 1:
            raise ValueError(f"step_s must be at least 1, not {step_s}")
        self.settings = settings
        self.step_s = step_s
        self._step_ms = step_s * 1000
        self._baseline = Baseline(settings, step_s)
        self._tail = TailModel(step_s)
        self._echo = Echo(step_s)
        scalars = ("quantile", "excess", "inside", *TailModel.ROWS, *Echo.ROWS)
        layout = Layout(self._baseline.sizes() | dict.fromkeys(scalars, 1))
        blank = np.zeros(layout.rows)
        blank[layout.slices["level"]] = self._baseline.blank_level()
        blank[layout.slices["quantile"]] = heavy_tail.NORMAL_QUANTILE
        blank[layout.slices["excess"]] = heavy_tail.NORMAL_EXCESS
        added = Added(len(TailModel.ROWS), self._baseline.tables.rows_of(DAY_KIND.name), len(Echo.ROWS))
        self._states = KeyStates(layout, self._baseline.tables.rows, blank, added)
        self._last: int | None = None
        self._phase_ms = 0
        self._unsure: Floats = np.zeros(0)
        self._budget = None if settings.budget is None else settings.budget.part(budget_share)

    @property
    def keys(self) -> Sequence[str]:
        """The detector's keys, in the order of the arrays of `Verdicts`; adding or removing keys changes the order."""
        return self._states.names

    @property
    def widest(self) -> int:
        """Number of windows in the widest sum that the detector scores."""
        return self._baseline.widths.widest

    def dispersion(self) -> tuple[Floats, Floats]:
        """Dispersion (variance / mean) of the widest sums, and relative variance of the expected mean, both (keys,)."""
        phi = self._baseline.spread.phi(self._states.rows("spread"))[-1]
        return phi, self._unsure

    def rests(self, start_ms: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Two arrays of shape (keys,): true if a key has regular pauses; true if `start_ms` is in one of them."""
        return self._baseline.rests(self._states, start_ms)

    @property
    def last_start_ms(self) -> int | None:
        """Start of the window that was evaluated last, in ms since the epoch; None before the first."""
        return None if self._last is None else self._last * self._step_ms + self._phase_ms

    def step(
        self, start_ms: int, keys: Sequence[str], negative: NDArray[np.float64], total: NDArray[np.float64] | None
    ) -> Verdicts:
        """Score the closed window that starts at `start_ms`. Known keys that are not in `keys` had no record in it.

        `negative` and `total` are aligned with `keys`. A total is NaN if unknown, or None for all keys: then only the
        count is scored. Windows skipped since the last step count as empty. Raises ValueError for a window that is not
        after the last one.
        """
        number = self._number(start_ms)
        self.catch_up(start_ms)
        columns = self._states.locate(keys)
        count, records = np.zeros(len(self._states)), np.zeros(len(self._states))
        count[columns] = negative
        records[columns] = -1.0 if total is None else np.where(np.isnan(total), -1.0, total)
        return self._evaluate(number, count, records)

    def catch_up(self, start_ms: int) -> None:
        """Evaluate the windows between the last evaluated one and `start_ms` as windows without any record."""
        number = self._number(start_ms)
        if self._last is None:
            return
        for missing in range(self._last + 1, number):
            self._evaluate(missing, np.zeros(len(self._states)), np.zeros(len(self._states)))

    def snapshot(self, key: str) -> bytes:
        """Serialize a key's state (a few KB) for `restore`.

        Raises KeyError for an unknown key or before the first step.
        """
        return self.snapshots([key])[0]

    def snapshots(self, keys: Sequence[str]) -> list[bytes]:
        """Serialize the states of these keys, which takes less time than one by one; as `snapshot`."""
        if self._last is None and keys:
            raise KeyError(keys[0])
        return self._states.dump(keys, self._last or 0) if keys else []

    def restore(self, key: str, state: bytes) -> None:
        """Add a key from a snapshot, which must be from the detector's last step, if there was one.

        Raises ValueError for a snapshot of another version, step length or step.
        """
        last = self._states.load(key, state)
        if self._last is not None and last != self._last:
            self._states.forget(key)
            raise ValueError(f"the state of key {key!r} is of step {last}, the detector is at step {self._last}")
        self._last = last

    def knows(self, key: str) -> bool:
        return key in self._states.index

    def forget(self, key: str) -> None:
        """Remove a key from the detector; does nothing for an unknown key."""
        self._states.forget(key)

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
        self._unsure = expected.unsure
        learning = states.row("age") <= self._baseline.learning_windows
        phi = self._baseline.spread.phi(states.rows("spread"))
        z_widths = self._count_scores(expected, phi)
        z_count = z_widths.max(axis=0)
        if settings.heavy_tail:
            quantile, excess = states.row("quantile"), states.row("excess")
            calibrated = heavy_tail.recalibrate(z_count, quantile, excess)
            heavy_tail.learn(z_count, quantile, excess, states.row("inside"), ~learning)
            z_widths, z_count = z_widths + (calibrated - z_count), calibrated
        z_ratio = np.full(len(states), np.inf)
        chosen = (z_count > _RATIO_FROM).nonzero()[0]
        if len(chosen) and settings.z_ratio > 0:
            z_ratio[chosen] = self._ratio_scores(expected, chosen)
        threshold = self._threshold(z_count, z_ratio, learning, phi[0])
        score = z_count
        if settings.z_ratio > 0:
            score = np.minimum(z_count, z_ratio * (threshold / settings.z_ratio))
        score = self._discounted(np.where(learning, 0.0, np.maximum(score, 0.0)))
        firing = score > threshold
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
            windows=(z_widths > threshold) & firing,
            threshold=threshold,
        )

    def _threshold(self, z_count: Floats, z_ratio: Floats, learning: Bools, phi: Floats) -> float:
        """The score above which keys fire at this step; also counts high scores, from which later thresholds are set.

        Of a verdict, only the threshold depends on the other keys.
        """
        states, settings = self._states, self.settings
        rows = {name: states.row(name) for name in TailModel.ROWS}
        age = states.row("age")
        rate, slope = self._tail.rates(states.rows("level")[0], phi, age)
        budget = self._budget
        fixed = settings.z_count
        threshold = self._tail.threshold(rows, rate, slope, ~learning, budget) if budget is not None else fixed
        # What a key notes must not depend on the other keys: its ratio is compared at the reference.
        gated = np.minimum(z_count, z_ratio * (REFERENCE / settings.z_ratio)) if settings.z_ratio > 0 else z_count
        self._tail.learn(rows, np.where(learning, 0.0, gated), age, rate, slope)
        assert threshold is not None
        return threshold

    def _discounted(self, score: Floats) -> Floats:
        """Scores less what an earlier high score of the same key takes from them; at least 0."""
        rows = {name: self._states.row(name) for name in Echo.ROWS}
        lower = np.maximum(score - self._echo.discount(rows), 0.0)
        self._echo.learn(rows, score)
        return lower

    def _count_scores(self, expected: Expected, phi: Floats) -> Floats:
        """Scores of the counts, summed over each number of windows; shape (widths, keys)."""
        spread, rows = self._baseline.spread, self._states.rows("spread")
        variance = spread.variance(rows, expected.mean, spread.prudent(rows, phi)) + expected.mean**2 * expected.unsure
        z: Floats = surprise(expected.count, expected.mean, variance) - self._baseline.widths.offsets
        z[(expected.count < self.settings.min_count) & (z > 0)] = 0.0
        return z

    def _ratio_scores(self, expected: Expected, chosen: Columns) -> Floats:
        """Score of the share of all records that is negative, for the chosen keys: the larger of two scores.

        The first compares the share with the usual share. The second compares the count with the usual count, scaled by
        the surge of the other records: without a surge few negatives can be a spike, although the share of a few
        records is uncertain. Infinite where the number of all records is not known.
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
        lift = np.maximum(others / (usual * (1 - share) / share + _SURGE_PRIOR), 1.0)
        mean = usual * lift
        phi = baseline.spread.phi(rows)
        variance = baseline.spread.variance(rows, mean, phi)
        variance += mean * mean * (expected.unsure[chosen] + phi[0] / others)
        by_surge = surprise(count, mean, variance)
        # So much traffic is not the traffic that the usual count was learned from.
        surged = others - _SURGE_PRIOR + _SURGE_LEAST > SURGE * (usual * (1 - share) / share + _SURGE_LEAST)
        # Nor is a window with few others by chance, if the sums around it have many.
        surged = np.logical_or.accumulate(surged[::-1])[::-1]
        by_surge[surged] = 0.0
        # ... and of a count that says nothing the share must be the more unusual.
        by_share[surged] -= _SURGE_OFFSET
        best[known] = (np.maximum(by_share, by_surge) - self._baseline.widths.offsets).max(axis=0)[known]
        return best
