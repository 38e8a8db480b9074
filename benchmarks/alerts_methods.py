"""Scores of the spike detector and of published rules, [windows, series]; an alarm is a score above a threshold."""

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection import SpikeDetector, SpikeSettings

Floats = NDArray[np.float64]
START_MS = 1_767_225_600_000  # Thursday, 2026-01-01
_LEAST_SD = 0.2


def spike_detector(counts: Floats, total: Floats | None, step_s: int, settings: SpikeSettings) -> Floats:
    """Scores of the spike detector, computed step by step."""
    detector = SpikeDetector(settings, step_s)
    keys = [str(column) for column in range(counts.shape[1])]
    scores = np.zeros(counts.shape)
    for window in range(len(counts)):
        start_ms = START_MS + window * step_s * 1000
        scores[window] = detector.step(start_ms, keys, counts[window], None if total is None else total[window]).score
    return scores


def ears(counts: Floats, kind: int, windows: int = 7) -> Floats:
    """EARS C1, C2, C3 (Hutwagner et al. 2003): standard deviations above the mean of seven earlier windows.

    C2 and C3 leave out the last two windows; C3 is the sum of the C2 scores above 1 over three windows.
    """
    lag = 1 if kind == 1 else 3
    mean, sd = _past(counts, windows, lag)
    score = (counts - mean) / np.maximum(sd, _LEAST_SD)
    score[np.isnan(score)] = -np.inf
    if kind < 3:
        return score
    over = np.maximum(score - 1, 0)
    over[2:] = over[2:] + over[1:-1] + over[:-2]
    return over


def mean_and_sd(counts: Floats, windows: int) -> Floats:
    """Standard deviations above the mean of the last `windows` windows."""
    mean, sd = _past(counts, windows, 1)
    score = (counts - mean) / np.maximum(sd, 1e-9)
    score[np.isnan(score)] = -np.inf
    return score


def same_last_week(counts: Floats, per_week: int) -> Floats:
    """Ratio to the count of the same window one week before, where a count of 0 is taken as 1."""
    score = np.full(counts.shape, -np.inf)
    score[per_week:] = counts[per_week:] / np.maximum(counts[:-per_week], 1)
    return score


def share(counts: Floats, total: Floats, least: int) -> Floats:
    """Share of negatives in windows with at least `least` of them, else 0."""
    return np.where(counts >= least, counts / np.maximum(total, 1), 0.0)


def sentry(counts: Floats, per_week: int) -> Floats:
    """After Sentry's escalating issues: the ratio of the count to a limit that is computed each week from the last one.

    The limit is the larger of mean + 5 sd and m times the maximum, m = 5 exp(-0.65 sd/mean) within 2 and 5.
    """
    score = np.full(counts.shape, -np.inf)
    for start in range(per_week, len(counts), per_week):
        before = counts[start - per_week : start]
        mean, sd = before.mean(axis=0), before.std(axis=0)
        times = np.clip(5 * np.exp(-0.65 * sd / np.maximum(mean, 1e-9)), 2, 5)
        limit = np.maximum(np.maximum(mean + 5 * sd, times * before.max(axis=0)), 1.0)
        score[start : start + per_week] = counts[start : start + per_week] / limit
    return score


def _past(counts: Floats, windows: int, lag: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of `windows` windows that end `lag` before each; NaN if there are fewer."""
    sums, squares = (np.cumsum(np.pad(x, ((1, 0), (0, 0))), axis=0) for x in (counts, counts * counts))
    mean, sd = np.full(counts.shape, np.nan), np.full(counts.shape, np.nan)
    first = windows + lag - 1
    total = sums[windows : len(counts) - lag + 1] - sums[: len(counts) - first]
    square = squares[windows : len(counts) - lag + 1] - squares[: len(counts) - first]
    mean[first:] = total / windows
    sd[first:] = np.sqrt(np.maximum(square - total * total / windows, 0) / (windows - 1))
    return mean, sd
