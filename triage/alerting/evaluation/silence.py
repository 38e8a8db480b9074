"""Detects keys that have fallen silent: no record for longer than their usual rate explains. No I/O."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection import SpikeDetector, Verdicts
from triage.alerting.detection.silence import least_score, silence_score
from triage.alerting.evaluation.rolling import RollingCounts
from triage.alerting.rules.model import SilenceSettings

# One step without records can be a batch that came a little late.
_LEAST_STEPS = 2


@dataclass(frozen=True, slots=True)
class Silent:
    """A key without records: how many were `expected` since its last one, and how improbable that is (`score`)."""

    expected: float
    score: float
    firing: bool


class SilenceWatch:
    """Scores how long each key has been silent.

    The detector must be one that learns the number of all records of a key.

    Keys that regularly have no records at night or on some days are not watched, unless `nights` is set; then those
    times do not count. A step counts only if the detector predicted it: not before the alerter started or while it
    learned.
    """

    def __init__(self, settings: SilenceSettings, step_ms: int, budget_share: float) -> None:
        self._settings = settings
        self._step_ms = step_ms
        self._budget = settings.budget.part(budget_share)

    def expected(self, detector: SpikeDetector, verdicts: Verdicts) -> NDArray[np.float64]:
        """Expected records of each key in the step: NaN if the key is not watched, 0 during its regular pauses."""
        ever, now = detector.rests(verdicts.start_ms)
        watched = ~verdicts.learning if self._settings.nights else ~(verdicts.learning | ever)
        return np.where(watched, np.where(now, 0.0, verdicts.expected), np.nan)

    def firing(self, rolling: RollingCounts, detector: SpikeDetector, verdicts: Verdicts) -> list[str]:
        """Keys that may have fallen silent.

        `look` decides on each, because its caller knows which steps do not count.
        """
        keys = list(verdicts.index)
        rows = np.fromiter((rolling.rows[key] for key in keys), np.intp, len(keys))
        quiet = np.flatnonzero(rolling.total[rows, rolling.columns(1)[0]] == 0)
        if not len(quiet):
            return []
        columns = np.fromiter((verdicts.index[keys[each]] for each in quiet), np.intp, len(quiet))
        score = self._scores(_expected_since(rolling, rows[quiet]), detector, columns)
        return [keys[each] for each in quiet[score > self._least(len(keys))].tolist()]

    def unable(self, rolling: RollingCounts, detector: SpikeDetector, verdicts: Verdicts) -> int:
        """Number of keys past learning that cannot fire: they pause regularly, or have too few records in a day."""
        rows = np.fromiter((rolling.rows[key] for key in verdicts.index), np.intp, len(verdicts))
        columns = np.fromiter(verdicts.index.values(), np.intp, len(verdicts))
        expected = rolling.expected[rows]
        watched = ~np.isnan(expected[:, rolling.columns(1)[0]])
        able = self._scores(np.nansum(expected, axis=1), detector, columns) > self._least(len(verdicts))
        return int(np.count_nonzero(~(able & watched) & ~verdicts.learning[columns]))

    def look(
        self,
        rolling: RollingCounts,
        detector: SpikeDetector,
        verdicts: Verdicts,
        key: str,
        after_ms: int | None = None,
    ) -> Silent:
        """Evaluate the silence of a key up to the last step; steps that begin at or before `after_ms` do not count."""
        assert rolling.last_ms is not None
        counted = rolling.steps if after_ms is None else (rolling.last_ms - after_ms) // self._step_ms
        mean = _expected_since(rolling, np.array([rolling.rows[key]]), min(counted, rolling.steps))
        score = float(self._scores(mean, detector, np.array([verdicts.index[key]]))[0])
        return Silent(float(mean[0]), score, score > self._least(len(verdicts)))

    def _scores(
        self, mean: NDArray[np.float64], detector: SpikeDetector, columns: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        phi, unsure = detector.dispersion()
        return silence_score(mean, phi[columns], unsure[columns])

    def _least(self, keys: int) -> float:
        return least_score(self._budget.per_week / (1 if self._budget.each_key else max(keys, 1)), self._step_ms)


def _expected_since(rolling: RollingCounts, rows: NDArray[np.intp], counted: int | None = None) -> NDArray[np.float64]:
    """Expected records of these rows since their last record, or since the last step without an expectation.

    `counted` limits it to so many of the latest steps.
    """
    steps = rolling.steps if counted is None else counted
    if steps <= 0:
        return np.zeros(len(rows))
    columns = rolling.columns(steps)
    total, expected = rolling.total[rows][:, columns], rolling.expected[rows][:, columns]
    # True up to the last step that ends the silence; seen from the newest step backwards.
    ended = np.logical_or.accumulate(((total > 0) | np.isnan(expected))[:, ::-1], axis=1)[:, ::-1]
    since: NDArray[np.float64] = np.where(ended, 0.0, expected).sum(axis=1)
    return np.where((~ended).sum(axis=1) >= _LEAST_STEPS, since, 0.0)
