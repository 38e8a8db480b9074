"""The score above which a rule's keys fire: the lowest that keeps their false alerts within the budget.

How often a key's score exceeds a level is predicted from its expected count, its dispersion and its age. Observations
correct the prediction: all keys of a rule together count their runs of moderately high scores, which are nearly all
false. If there were more or fewer runs than predicted, the common threshold rises or falls. A single key has too little
history for that: a budget of one false alert in 200 weeks is longer than its past.
"""

import math

import numpy as np

from triage.alerting.detection.budget import Budget
from triage.alerting.detection.calendar import DAY_S
from triage.alerting.detection.verdicts import Bools, Floats

# The score that has the default budget on counts as they are at most shops; widths and ratios are set for it.
REFERENCE = 3.8
_HOUR_S, _WEEK_S = 3_600, 7 * DAY_S
# Below the least, the prediction is too low: of windows of hours and days it is already at three.
_LEAST, _LEAST_OF_HOURS, _MOST = 2.5, 3.0, 12.0

# Logarithm of the false alerts per week at the reference: a regression on simulated counts of many kinds. Its terms are
# zero for one count an hour to ten of no dispersion.
_LOG_RATE = -7.65
_RARE, _RARER, _FREQUENT = 1.38, -0.67, -0.75
_DISPERSED, _RARE_DISPERSED, _YOUNG = 0.24, -0.24, 0.63
_RARE_BELOW, _RARER_BELOW, _FREQUENT_FROM = math.log(2.0), math.log(0.2), math.log(10.0)
# Windows of minutes are looked at as sums of five widths instead of three. Rare counts have more false alerts there: in
# their first weeks the hours of the day are not known well.
_SHORT, _RARE_SHORT, _SHORT_UP_TO_S = 2.8, 0.8, 900
# By how much that logarithm falls as the score rises by 1: less for rare counts.
_SLOPE, _RARE_SLOPE, _LEAST_SLOPE = 3.91, 0.43, 1.5

# A run is the windows in a row with a score above `_RUN_FROM`. It counts if its highest score is between these.
_RUN_FROM, _COUNTED_FROM, _COUNTED_TO = 2.0, 3.0, 4.5
# Before a week has passed, seasons are unknown and the runs say more about them than about the tail.
_COUNTED_AFTER_S = 8 * DAY_S
_HALF_LIFE_S, _HALF_LIFE_WINDOWS = 28 * DAY_S, 200
# The prediction has the weight of this many runs.
_PRIOR_RUNS = 5.0
# The rate falls faster than the regression's straight line, which overstates it by this factor where budgets are.
_OVERSTATED = 1.8
_STEPS, _CLOSE = 6, 1e-6


class TailModel:
    """Sets the score above which keys fire, from the predicted and the observed frequency of high scores.

    It counts runs: consecutive windows with high scores. Arrays are of shape (keys,). `ROWS` names the parts of the
    state that it needs: the highest score of the current run, and the discounted numbers of observed and of predicted
    runs.
    """

    ROWS = ("peak", "runs", "predicted_runs")

    def __init__(self, step_s: int) -> None:
        self._step_s = step_s
        # Of windows up to an hour the scores themselves allow for how many there are.
        self._log_windows = math.log(_HOUR_S / step_s) if step_s > _HOUR_S else 0.0
        short = step_s <= _SHORT_UP_TO_S
        self._log_windows += _SHORT if short else 0.0
        self._rare = _RARE + _RARE_SHORT if short else _RARE
        self._to_hours = math.log(_HOUR_S / step_s)
        self._kept = 0.5 ** (1 / max(_HALF_LIFE_S / step_s, _HALF_LIFE_WINDOWS))
        self._least = _LEAST_OF_HOURS if _HOUR_S < step_s < _WEEK_S else _LEAST
        self._counted_after = max(_COUNTED_AFTER_S / step_s, 24)

    def rates(self, log_mean: Floats, phi: Floats, age: Floats) -> tuple[Floats, Floats]:
        """Logarithm of each key's false alerts per week at the score `REFERENCE`, and its decrease per unit of score.

        `log_mean` is the logarithm of a window's mean count, `phi` its dispersion, `age` the key's age in windows.
        """
        hourly = log_mean + self._to_hours
        # np.clip costs three times as much, and with few keys the calls are what a step takes.
        rare = np.minimum(np.maximum(_RARE_BELOW - hourly, 0.0), 6.0)
        log_phi = np.log(phi)
        rate = _LOG_RATE + self._log_windows + self._rare * rare
        rate += _RARER * np.minimum(np.maximum(_RARER_BELOW - hourly, 0.0), 5.0)
        rate += _FREQUENT * np.minimum(np.maximum(hourly - _FREQUENT_FROM, 0.0), 5.0)
        rate += (_DISPERSED + _RARE_DISPERSED * rare) * log_phi
        rate += _YOUNG * np.minimum(_WEEK_S / self._step_s / np.maximum(age, 1.0), 1.0)
        return rate, np.maximum(_SLOPE - _RARE_SLOPE * rare, _LEAST_SLOPE)

    def learn(self, rows: dict[str, Floats], score: Floats, age: Floats, rate: Floats, slope: Floats) -> None:
        """Add a window to the state: the observed runs of high scores that end with it, and the predicted number.

        `rows` is the state by name (`ROWS`), `age` is in windows, `rate` and `slope` are the results of `rates`.
        """
        peak, runs, predicted = (rows[name] for name in self.ROWS)
        above = score > _RUN_FROM
        counted = age > self._counted_after
        runs *= self._kept
        runs += ~above & (peak > _COUNTED_FROM) & (peak < _COUNTED_TO) & counted
        np.maximum(peak, score, out=peak)
        peak *= above
        between = np.exp(rate + slope * (REFERENCE - _COUNTED_FROM)) - np.exp(rate + slope * (REFERENCE - _COUNTED_TO))
        predicted *= self._kept
        predicted += between * counted * (self._step_s / _WEEK_S)

    def threshold(self, rows: dict[str, Floats], rate: Floats, slope: Floats, watched: Bools, budget: Budget) -> float:
        """The score at which the keys in `watched` together raise as many false alerts as the budget allows.

        `rate` and `slope` are the results of `rates`. Returns `REFERENCE` if no key is watched.
        """
        keys = int(watched.sum())
        if not keys:
            return REFERENCE
        rate, slope = rate[watched], slope[watched]
        seen, predicted = rows["runs"][watched].sum(), rows["predicted_runs"][watched].sum()
        rate = rate + math.log((seen + _PRIOR_RUNS) / (predicted + _PRIOR_RUNS))
        wanted = math.log(budget.in_all(keys) * _OVERSTATED)
        score = REFERENCE
        # Newton's method; the logarithm of the sum is nearly straight.
        for _ in range(_STEPS):
            rates = np.exp(rate - slope * (score - REFERENCE))
            total = float(rates.sum())
            change = max(-2.0, min(2.0, (math.log(total) - wanted) * total / float((rates * slope).sum())))
            score = max(self._least, min(_MOST, score + change))
            if abs(change) < _CLOSE:
                break
        # Sums of the same keys in another order, as after a restart, differ in the last digits.
        return round(score, 6)
