"""Scores of the spike detector and of published rules, [windows, series]; an alarm is a score above a threshold."""

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection import SpikeDetector, SpikeSettings

Floats = NDArray[np.float64]
START_MS = 1_767_225_600_000  # Thursday, 2026-01-01
_LEAST_SD = 0.2


def spike_detector(
    counts: Floats, total: Floats | None, step_s: int, settings: SpikeSettings, kind: type = SpikeDetector
) -> Floats:
    """Scores of the spike detector less the threshold of their step: it fires above 0."""
    detector = kind(settings, step_s)
    keys = [str(column) for column in range(counts.shape[1])]
    scores = np.zeros(counts.shape)
    for window in range(len(counts)):
        start_ms = START_MS + window * step_s * 1000
        verdicts = detector.step(start_ms, keys, counts[window], None if total is None else total[window])
        scores[window] = verdicts.score - verdicts.threshold
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


def farrington_hourly(counts: Floats, per_week: int, weeks: int = 6) -> Floats:
    """After Farrington Flexible, for windows of an hour: the same hours of the last weeks, with one hour on each side.

    The mean is that of the reference windows, the dispersion quasi-Poisson and common to all hours of the last weeks;
    reference windows with a standardized residual above 2.58 get a lower weight, and both are estimated again.
    """
    # The threshold of the method is a quantile, here that of a negative binomial as a z score.
    from triage.alerting.detection.tail import surprise

    references = [per_week * back + aside for back in range(1, weeks + 1) for aside in (-1, 0, 1)]
    weight_of = np.ones_like(counts)
    first = per_week * weeks + 1
    mean = _references(counts, references, first)
    variance = mean
    for _ in range(2):
        weights = _references(weight_of, references, first)
        mean = _references(counts * weight_of, references, first) / np.maximum(weights, 1e-9)
        residual = np.where(np.isnan(mean), 0.0, (counts - mean) ** 2 * weight_of)
        total, usual = np.cumsum(residual, axis=0), np.cumsum(np.nan_to_num(mean) * weight_of, axis=0)
        before = (slice(None, -1),)
        phi = np.ones_like(counts)
        phi[1:] = np.maximum((total[before] + 10) / (usual[before] + 10), 1.0)
        variance = mean * phi * (1 + 1 / np.maximum(weights * len(references), 1))
        standard = (counts - mean) / np.sqrt(np.maximum(variance, 0.05))
        weight_of = np.where(standard > 2.58, np.maximum(standard, 1.0) ** -2.0, 1.0)
    scores = np.full(counts.shape, -np.inf)
    safe = np.maximum(mean[first:], 0.02)
    scores[first:] = surprise(counts[first:], safe, np.maximum(variance[first:], safe))
    return scores


def seasonal_band(counts: Floats, step_s: int, weeks: int = 4) -> Floats:
    """Standard deviations above a fitted curve, as in a band of Prophet or Kibana: fitted again each week.

    The curve is a trend with harmonics of the day and the week (least squares over the last weeks).
    """
    per_day = 86_400 // step_s
    at = np.arange(len(counts))
    angle = 2 * np.pi * at / per_day
    terms = [np.ones(len(at)), at / len(at)]
    terms += [part(n * angle) for n in (1, 2, 3, 4) for part in (np.sin, np.cos)]
    terms += [part(n * angle / 7) for n in (1, 2, 3) for part in (np.sin, np.cos)]
    design = np.stack(terms, axis=1)
    score = np.full(counts.shape, -np.inf)
    week = 7 * per_day
    for start in range(week, len(counts), week):
        past = slice(max(0, start - weeks * week), start)
        fitted = np.linalg.lstsq(design[past], counts[past], rcond=None)[0]
        sd = (counts[past] - design[past] @ fitted).std(axis=0)
        now = slice(start, min(start + week, len(counts)))
        score[now] = (counts[now] - np.maximum(design[now] @ fitted, 0.0)) / np.maximum(sd, _LEAST_SD)
    return score


def _references(values: Floats, lags: list[int], first: int) -> Floats:
    """Mean of the values `lags` windows before each; NaN where not all are known."""
    found = np.full(values.shape, np.nan)
    found[first:] = sum(values[first - lag : len(values) - lag] for lag in lags) / len(lags)
    return found


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
