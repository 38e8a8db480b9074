"""Generates the series of the alert benchmarks: weekly after Noufaily 2013, hourly and five-minute as in triage."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Noufaily et al. 2013, Statistics in Medicine 32(7): theta, phi, beta, gamma1, gamma2 of seven kinds of organism.
_KINDS = [
    (0.1, 1.5, 0.0025, 0.6, 0.6),
    (-2.0, 2.0, 0.005, 0.1, 0.3),
    (1.5, 1.0, 0.003, 0.2, -0.4),
    (0.5, 5.0, 0.002, 0.5, 0.5),
    (2.5, 3.0, 0.001, 1.0, 0.1),
    (3.75, 1.1, 0.001, 0.1, -0.1),
    (5.0, 1.2, 0.0001, 0.05, 0.01),
]
SCENARIOS = [(*kind, trend, season) for kind in _KINDS for trend in (0, 1) for season in (0, 1)]
WEEKS, TRAIN_WEEKS, SCORED_WEEKS = 624, 312, 49


def counts_of(rng: np.random.Generator, mean: Floats, phi: Floats | float) -> Floats:
    """Random counts with a variance of phi times the mean: negative binomial, or Poisson if phi is 1."""
    over = np.broadcast_to(np.asarray(phi, dtype=float) - 1, mean.shape)
    gamma = rng.gamma(np.where(over > 0, mean / np.where(over > 0, over, 1), 1.0), np.where(over > 0, over, 1.0))
    return rng.poisson(np.where(over > 0, gamma, mean)).astype(float)


@dataclass(frozen=True)
class Weekly:
    """Weekly series [weeks, series]: `quiet` without and `counts` with outbreaks.

    `outbreak` has the cases of the outbreak in the scored weeks; `scenario` [series] is an index into SCENARIOS.
    """

    scenario: NDArray[np.int64]
    mean: Floats
    phi: Floats
    quiet: Floats
    counts: Floats
    outbreak: Floats


def weekly(seed: int, per_scenario: int = 100) -> Weekly:
    """Series of benchmark A: 28 scenarios, with four outbreaks in weeks 313 to 575 and one in weeks 576 to 624."""
    rng = np.random.default_rng(seed)
    week = np.arange(1, WEEKS + 1)[:, None]
    scenario = np.repeat(np.arange(len(SCENARIOS)), per_scenario)
    theta, phi, beta, cosine, sine, trend, season = np.array(SCENARIOS)[scenario].T
    angle = 2 * np.pi * week / 52
    mean = np.exp(theta + trend * beta * week + season * (cosine * np.cos(angle) + sine * np.sin(angle)))
    quiet = counts_of(rng, mean, phi[None, :])
    sd = np.sqrt(phi * mean)
    counts = quiet.copy()
    outbreak = np.zeros_like(quiet)
    for column in range(len(scenario)):
        for k in (2, 3, 5, 10):
            _add(rng, counts, None, column, int(rng.integers(TRAIN_WEEKS, WEEKS - SCORED_WEEKS)), k, sd)
        start = int(rng.integers(WEEKS - SCORED_WEEKS, WEEKS))
        _add(rng, counts, outbreak, column, start, int(rng.integers(1, 11)), sd)
    return Weekly(scenario, mean, phi, quiet, counts, outbreak)


def _add(
    rng: np.random.Generator, counts: Floats, mark: Floats | None, column: int, start: int, k: int, sd: Floats
) -> None:
    size = rng.poisson(k * sd[start, column])
    weeks = start + np.floor(rng.lognormal(0, 0.5, size)).astype(int)
    weeks = weeks[weeks < len(counts)]
    np.add.at(counts[:, column], weeks, 1)
    if mark is not None:
        np.add.at(mark[:, column], weeks, 1)


@dataclass(frozen=True)
class Product:
    """Series of benchmarks B and C: arrays of shape (windows, keys) or (keys,).

    `spike` and `surge` [2, keys] are [start, end) windows; an empty span means that the key has none. The excess of a
    spike is spread evenly over its windows; its SNR, excess / sqrt(phi * expected), is that of one hour, or of the
    whole spike.
    """

    step_s: int
    mean: Floats
    phi: Floats
    negative: Floats
    total: Floats
    snr: Floats
    spike: NDArray[np.int64]
    surge: NDArray[np.int64]
    scored_from: int


def product(
    seed: int,
    keys: int = 1200,
    *,
    weeks: int = 10,
    scored_weeks: int = 4,
    step_s: int = 3600,
    whole_spike: bool = False,
) -> Product:
    """Series with daily and weekly seasons, one spike per key, and a surge of all traffic on half of the keys.

    Rates are .02 to 100 negatives per hour and the SNR is 4 to 60, both uniform in the logarithm; spikes and surges
    last 3 to 12 hours.
    """
    rng = np.random.default_rng(seed)
    per_hour = 3600 / step_s
    windows = int(weeks * 168 * per_hour)
    hour = np.arange(windows)[:, None] / per_hour
    rate = np.exp(rng.uniform(np.log(0.02), np.log(100), keys))
    mean = rate / per_hour * _profile(rng, hour, keys)
    phi = rng.uniform(1, 2.5, keys)
    share = rng.uniform(0.1, 0.5, keys)
    scored_from = int((weeks - scored_weeks) * 168 * per_hour)
    lengths = (rng.integers(3, 13, (2, keys)) * per_hour).astype(int)
    margin = int(24 * per_hour)
    halves = (windows - scored_from) // 2
    first = rng.random(keys) < 0.5
    starts = scored_from + rng.integers(margin, halves - margin, (2, keys))
    starts += np.where(first, np.array([[0], [halves]]), np.array([[halves], [0]]))
    spike, surge = (np.stack([starts[i], starts[i] + lengths[i]]) for i in range(2))
    surge[:, rng.random(keys) < 0.5] = 0
    at = np.arange(windows)[:, None]
    lift = np.where((at >= surge[0]) & (at < surge[1]), 3.0, 1.0)
    inside = (at >= spike[0]) & (at < spike[1])
    # Number of windows over which excess and expectation are counted.
    over = inside.sum(axis=0) if whole_spike else per_hour
    expected = (mean * inside).sum(axis=0) / inside.sum(axis=0) * over
    snr = np.exp(rng.uniform(np.log(4), np.log(60), keys))
    excess = rng.poisson(inside * snr * np.sqrt(phi * expected) / over)
    negative = counts_of(rng, mean * lift, phi) + excess
    others = counts_of(rng, mean * lift * (1 - share) / share, phi)
    return Product(step_s, mean, phi, negative, negative + others, snr, spike, surge, scored_from)


def _profile(rng: np.random.Generator, hour: Floats, keys: int) -> Floats:
    angle = 2 * np.pi * (hour - rng.uniform(0, 24, keys)) / 24
    daily = rng.uniform(0.3, 1.0, keys) * np.cos(angle) + rng.uniform(0, 0.3, keys) * np.cos(2 * angle)
    weekday = (hour // 24 % 7).astype(int)
    days = rng.normal(0, 0.1, (7, keys))
    days[5:] += rng.uniform(-0.6, 0.2, keys)
    profile = np.exp(daily + days[weekday[:, 0]])
    return np.asarray(profile / profile.mean(axis=0))
