"""Evaluates methods on a family of traffic: false alerts, detection, delay, benign surges; and the oracle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.alerts_families import Traffic
from benchmarks.alerts_score import begins_of
from triage.alerting.detection.tail import surprise

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# False alerts per key and week.
BUDGET = 0.005
BANDS = {"12-20": (12.0, 20.0, 2), ">=20": (20.0, np.inf, 1)}
_WEEK_S = 7 * 86_400
_ROUNDS = 14


@dataclass(frozen=True)
class Outcome:
    """Result of a method on a family.

    `false` and `first_week` are alerts per key and week that neither a spike nor a surge explains; `benign` is the
    share of surges with an alert. By SNR band, `found` is the share of detected spikes and `within` the share detected
    within 2 hours (12-20) or 1 hour (>=20) after the window in which the spike begins. `delay_h` is the median delay of
    the detected ones, and `key_weeks` what `false` was measured on.
    """

    false: float
    first_week: float
    benign: float
    found: dict[str, float]
    within: dict[str, float]
    delay_h: dict[str, float]
    key_weeks: float


def outcome(data: Traffic, firing: Bools) -> Outcome:
    """The result of a method that fires where `firing` [windows, keys] is true.

    An alert ends after six quiet windows.
    """
    windows, keys = firing.shape
    at = np.arange(windows)[:, None]
    week, per_hour = _WEEK_S // data.step_s, 3600 / data.step_s
    begins = begins_of(firing)
    weeks = (windows - data.scored_from) / week
    surged = data.surge[1] > 0
    in_surge = (firing & (at >= data.surge[0]) & (at < data.surge[1])).any(axis=0)
    hits = firing & (at >= data.spike[0]) & (at < data.spike[1])
    found = hits.any(axis=0)
    delay = np.where(found, (hits.argmax(axis=0) - data.spike[0]) / per_hour, np.inf)
    chosen = {band: (data.snr >= low) & (data.snr < high) for band, (low, high, _) in BANDS.items()}
    return Outcome(
        false=float((begins & _scored(data)).sum() / keys / weeks),
        first_week=float(begins[:week].sum() / keys),
        benign=float(in_surge[surged].mean()),
        found={band: float(found[keys_].mean()) for band, keys_ in chosen.items()},
        within={band: float((delay[chosen[band]] <= BANDS[band][2]).mean()) for band in BANDS},
        delay_h={band: float(np.median(delay[keys_ & found])) if (keys_ & found).any() else np.nan
                 for band, keys_ in chosen.items()},
        key_weeks=keys * weeks,
    )  # fmt: skip


def at_budget(data: Traffic, scores: Floats, budget: float = BUDGET) -> Outcome:
    """The result with the lowest threshold, found with hindsight, at which false alerts stay within the budget.

    `scores` are [windows, keys], the `budget` is in false alerts per key and week.
    """
    scored = _scored(data)
    rows = slice(data.scored_from, None)
    weeks = (len(scores) - data.scored_from) * data.step_s / _WEEK_S
    finite = scores[rows][scored[rows]]
    finite = finite[np.isfinite(finite)]
    low, high = float(np.quantile(finite, 0.9)), float(finite.max()) + 1e-9
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        begins = begins_of(scores[rows] > middle)
        if (begins & scored[rows]).sum() / scores.shape[1] / weeks > budget:
            low = middle
        else:
            high = middle
    return outcome(data, scores > high)


def oracle(data: Traffic) -> Floats:
    """Scores [windows, keys] of sums of 1, 2, 3 and 6 hours by the true means and variances; the highest counts.

    Variances of sums have a factor for each key and width, computed with hindsight from all windows without the
    spike: that is what neighbouring windows have in common.
    """
    per_hour = 3600 // data.step_s
    quiet = data.negative - data.excess
    best = np.full(quiet.shape, -np.inf)
    for width in sorted({1, per_hour, 2 * per_hour, 3 * per_hour, 6 * per_hour}):
        mean, variance = _sums(data.mean, width), _sums(data.variance, width)
        factor = ((_sums(quiet, width) - mean) ** 2).sum(axis=0) / variance.sum(axis=0)
        count = _sums(data.negative, width)
        score = surprise(count, mean, variance * factor)
        score[count < 3] = 0.0
        np.maximum(best, score, out=best)
    return best


def _scored(data: Traffic) -> Bools:
    """Windows in which an alert that begins is false."""
    at, after = np.arange(len(data.mean))[:, None], 6 * 3600 // data.step_s
    explained = np.zeros(data.mean.shape, bool)
    for first, end in (data.spike, data.surge):
        explained |= (at >= first) & (at < end + after) & (end > 0)
    return ~explained & (at >= data.scored_from)


def _sums(values: Floats, width: int) -> Floats:
    sums = np.cumsum(values, axis=0)
    sums[width:] = sums[width:] - sums[:-width]
    return sums
