"""Generates the families of traffic of the alert benchmark: ten kinds of counts, drawn again from each seed.

Every family has one spike per key, and on half of the keys a surge of all traffic. Parameters of a key (rate,
dispersion, seasons, share) are drawn from wide ranges, so that settings cannot be fitted to one kind of key.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.alerts_data import Floats, counts_of

_DAY, _WEEK = 24, 168
_LONGEST_SPIKE = 12
_LEAST_MEAN = 0.01
_SURGE = 3.0
# Spikes and surges start at least this many hours from the ends of their half of the scored weeks.
_MARGIN = 24


@dataclass(frozen=True)
class Traffic:
    """Counts [windows, keys] of one family, with what an oracle may know.

    `mean` and `variance` are those of a window's count without the spike and with the surge. `snr` [keys] is the excess
    of an hour at the spike's plateau by the standard deviation of such an hour. `spike` and `surge` [2, keys] are first
    window and end, 0 and 0 without. `excess` is the spike's part of `negative`.
    """

    name: str
    step_s: int
    mean: Floats
    variance: Floats
    negative: Floats
    total: Floats
    excess: Floats
    snr: Floats
    spike: NDArray[np.int64]
    surge: NDArray[np.int64]
    scored_from: int


@dataclass(frozen=True)
class _Plan:
    """What families share: times and sizes of spikes and surges, and a mean with seasons."""

    rng: np.random.Generator
    step_s: int
    hour: Floats
    mean: Floats
    share: Floats
    snr: Floats
    spike: NDArray[np.int64]
    surge: NDArray[np.int64]
    scored_from: int

    @property
    def keys(self) -> int:
        return self.mean.shape[1]

    @property
    def at(self) -> NDArray[np.int64]:
        return np.arange(len(self.mean))[:, None]

    @property
    def lift(self) -> Floats:
        return np.where((self.at >= self.surge[0]) & (self.at < self.surge[1]), _SURGE, 1.0)


def _plan(seed: int, keys: int, rates: tuple[float, float], *, weeks: int, scored_weeks: int, step_s: int) -> _Plan:
    rng = np.random.default_rng(seed)
    per_hour = 3600 // step_s
    windows = weeks * _WEEK * per_hour
    hour = np.arange(windows)[:, None] / per_hour
    mean = np.exp(rng.uniform(*np.log(rates), keys)) / per_hour * _seasons(rng, hour, keys)
    scored_from = (weeks - scored_weeks) * _WEEK * per_hour
    half, margin = (windows - scored_from) // 2, _MARGIN * per_hour
    starts = scored_from + rng.integers(margin, half - margin, (2, keys))
    starts += np.where(rng.random(keys) < 0.5, np.array([[0], [half]]), np.array([[half], [0]]))
    lengths = rng.integers(3, _LONGEST_SPIKE + 1, (2, keys)) * per_hour
    spike, surge = (np.stack([starts[i], starts[i] + lengths[i]]) for i in range(2))
    surge[:, rng.random(keys) < 0.5] = 0
    snr = np.exp(rng.uniform(np.log(6), np.log(60), keys))
    return _Plan(rng, step_s, hour, mean, rng.uniform(0.1, 0.5, keys), snr, spike, surge, scored_from)


def _seasons(rng: np.random.Generator, hour: Floats, keys: int) -> Floats:
    angle = 2 * np.pi * (hour - rng.uniform(0, 24, keys)) / 24
    daily = rng.uniform(0.2, 1.1, keys) * np.cos(angle) + rng.uniform(0, 0.4, keys) * np.cos(
        2 * angle + rng.uniform(0, 6, keys)
    )
    weekday = (hour // _DAY % 7).astype(int)[:, 0]
    days = rng.normal(0, 0.12, (7, keys))
    days[5:] += rng.uniform(-0.8, 0.3, keys)
    profile = np.exp(daily + days[weekday])
    return np.asarray(profile / profile.mean(axis=0))


def _finish(
    name: str,
    plan: _Plan,
    mean: Floats,
    variance: Floats,
    negative: Floats,
    others: Floats,
    prompt: Floats | None = None,
) -> Traffic:
    """Add the spikes: an even excess over the spike's windows, which comes late if the key's records do."""
    inside = (plan.at >= plan.spike[0]) & (plan.at < plan.spike[1])
    per_hour = 3600 / plan.step_s
    sd = np.sqrt((variance * inside).sum(axis=0) / inside.sum(axis=0) * per_hour)
    excess = plan.rng.poisson(inside * plan.snr * sd / per_hour).astype(float)
    if prompt is not None:
        excess = _delayed(plan.rng, excess, prompt)
    return Traffic(
        name,
        plan.step_s,
        mean,
        variance,
        negative + excess,
        negative + others + excess,
        excess,
        plan.snr,
        plan.spike,
        plan.surge,
        plan.scored_from,
    )


def _poisson_like(name: str, plan: _Plan, mean: Floats, phi: Floats) -> Traffic:
    """Negative binomial counts with a variance of phi times the mean."""
    mean = np.maximum(mean * plan.lift, _LEAST_MEAN * plan.step_s / 3600)
    others = counts_of(plan.rng, mean * (1 - plan.share) / plan.share, phi)
    return _finish(name, plan, mean, mean * phi, counts_of(plan.rng, mean, phi), others)


def plain(seed: int, keys: int) -> Traffic:
    """Daily and weekly seasons, .02 to 100 an hour, moderately dispersed."""
    plan = _plan(seed, keys, (0.02, 100), weeks=10, scored_weeks=4, step_s=3600)
    return _poisson_like("plain", plan, plan.mean, plan.rng.uniform(1, 2.5, keys))


def mixture(seed: int, keys: int) -> Traffic:
    """A mixture of .02 to 300 an hour, of any dispersion up to 6."""
    plan = _plan(seed, keys, (0.02, 300), weeks=10, scored_weeks=4, step_s=3600)
    return _poisson_like("mixture", plan, plan.mean, np.exp(plan.rng.uniform(0, np.log(6), keys)))


def five_minutes(seed: int, keys: int) -> Traffic:
    """The plain family in windows of five minutes: three weeks, of which the last is scored."""
    plan = _plan(seed, max(keys // 3, 4), (0.1, 300), weeks=3, scored_weeks=1, step_s=300)
    return _poisson_like("five minutes", plan, plan.mean, plan.rng.uniform(1, 2, plan.keys))


def zero_inflated(seed: int, keys: int) -> Traffic:
    """A tenth to a half of the time nothing is counted at all, in runs of one to six hours."""
    plan = _plan(seed, keys, (0.1, 100), weeks=10, scored_weeks=4, step_s=3600)
    rng = plan.rng
    absent, run = rng.uniform(0.1, 0.5, keys), rng.uniform(1, 6, keys)
    stop = np.minimum(absent / (1 - absent) / run, 0.95)
    on = np.empty(plan.mean.shape, bool)
    state = rng.random(keys) > absent
    for window, draw in enumerate(rng.random(on.shape)):
        state = np.where(state, draw > stop, draw < 1 / run)
        on[window] = state
    present = 1 - absent
    level = np.maximum(plan.mean * plan.lift, _LEAST_MEAN)
    phi = rng.uniform(1, 2, keys)
    negative = counts_of(rng, level, phi) * on
    others = counts_of(rng, level * (1 - plan.share) / plan.share, phi) * on
    variance = present * level * phi + present * absent * level**2
    return _finish("zero-inflated", plan, level * present, variance, negative, others)


def overdispersed(seed: int, keys: int) -> Traffic:
    """Negative binomial counts whose variance grows with the square of the mean: shape .5 to 8."""
    plan = _plan(seed, keys, (0.05, 100), weeks=10, scored_weeks=4, step_s=3600)
    mean = np.maximum(plan.mean * plan.lift, _LEAST_MEAN)
    shape = np.exp(plan.rng.uniform(np.log(0.5), np.log(8), keys))
    phi = 1 + mean / shape
    others = counts_of(plan.rng, mean * (1 - plan.share) / plan.share, 1.5)
    return _finish("overdispersed", plan, mean, mean * phi, counts_of(plan.rng, mean, phi), others)


def bursts(seed: int, keys: int) -> Traffic:
    """Self-exciting counts: each record brings .2 to .7 others within hours, as when a complaint is shared."""
    plan = _plan(seed, keys, (0.05, 60), weeks=10, scored_weeks=4, step_s=3600)
    rng = plan.rng
    branching, decay = rng.uniform(0.2, 0.7, keys), np.exp(-1 / rng.uniform(0.7, 4, keys))
    mean = np.maximum(plan.mean * plan.lift, _LEAST_MEAN)
    negative, memory = np.empty_like(mean), mean[0] * branching
    for window in range(len(mean)):
        negative[window] = rng.poisson(mean[window] * (1 - branching) + memory)
        memory = memory * decay + branching * (1 - decay) * negative[window]
    residual = (negative - mean) ** 2
    variance = mean * np.maximum(residual.sum(axis=0) / mean.sum(axis=0), 1.0)
    others = counts_of(rng, mean * (1 - plan.share) / plan.share, 1.5)
    return _finish("bursts", plan, mean, variance, negative, others)


def trend_and_shift(seed: int, keys: int) -> Traffic:
    """A slow trend up to a factor of two in ten weeks, and once a new level of all traffic, .4 to 2.5 times the old."""
    plan = _plan(seed, keys, (0.05, 100), weeks=10, scored_weeks=4, step_s=3600)
    rng = plan.rng
    week = plan.hour / _WEEK
    trend = np.exp(rng.uniform(-0.7, 0.7, keys) * week / 10)
    factor = np.exp(rng.uniform(np.log(0.4), np.log(2.5), keys))
    shifted = week >= rng.uniform(3, 9.5, keys)
    return _poisson_like(
        "trend and shift", plan, plan.mean * trend * np.where(shifted, factor, 1.0), rng.uniform(1, 2.5, keys)
    )


def sales_days(seed: int, keys: int) -> Traffic:
    """Four public holidays of little traffic and three sales days of much, of which the detector is not told."""
    plan = _plan(seed, keys, (0.05, 100), weeks=10, scored_weeks=4, step_s=3600)
    rng = plan.rng
    day = (plan.hour // _DAY).astype(int)[:, 0]
    factors = np.ones((day[-1] + 1, keys))
    days = rng.permutation(np.arange(2, len(factors) - 1))
    early, late = days[days < 42], days[days >= 42]
    for chosen in (*early[:2], *late[:2]):
        factors[chosen] = rng.uniform(0.1, 0.6, keys)
    for chosen in (early[2], *late[2:4]):
        factors[chosen] = rng.uniform(1.5, 4.0, keys)
    return _poisson_like("sales days", plan, plan.mean * factors[day], rng.uniform(1, 2.5, keys))


def reporting_delay(seed: int, keys: int) -> Traffic:
    """Records come hours late; every other week a source stops for 2 to 8 hours and then delivers all at once."""
    plan = _plan(seed, keys, (0.05, 100), weeks=10, scored_weeks=4, step_s=3600)
    rng = plan.rng
    phi = rng.uniform(1, 2, keys)
    level = np.maximum(plan.mean * plan.lift, _LEAST_MEAN)
    prompt = rng.uniform(0.4, 1.0, keys)
    negative = _delayed(rng, counts_of(rng, level, phi), prompt)
    others = _delayed(rng, counts_of(rng, level * (1 - plan.share) / plan.share, phi), prompt)
    mean = level.copy()
    rest = np.zeros(keys)
    for window in range(len(mean)):
        all_ = rest + level[window]
        mean[window] = all_ * prompt
        rest = all_ - mean[window]
    for column in range(keys):
        for start in rng.integers(_WEEK, len(mean) - _DAY, rng.poisson(5)):
            end = start + int(rng.integers(2, 9))
            if plan.spike[0, column] - 12 < end and start < plan.spike[1, column] + 12:
                continue
            for counts in (negative, others, mean):
                counts[end, column] += counts[start:end, column].sum()
                counts[start:end, column] = 0.0
    variance = np.maximum(mean, _LEAST_MEAN) * phi
    return _finish("reporting delay", plan, np.maximum(mean, 1e-6), variance, negative, others, prompt)


def weekend_only(seed: int, keys: int) -> Traffic:
    """Brands with traffic at weekends only: two per cent of it on other days."""
    plan = _plan(seed, keys, (0.2, 100), weeks=10, scored_weeks=4, step_s=3600)
    weekend = (plan.hour // _DAY % 7).astype(int) >= 5
    return _poisson_like("weekend only", plan, plan.mean * np.where(weekend, 2.5, 0.05), plan.rng.uniform(1, 2.5, keys))


FAMILIES: dict[str, Callable[[int, int], Traffic]] = {
    "plain": plain,
    "mixture": mixture,
    "zero-inflated": zero_inflated,
    "overdispersed": overdispersed,
    "bursts": bursts,
    "trend and shift": trend_and_shift,
    "sales days": sales_days,
    "reporting delay": reporting_delay,
    "weekend only": weekend_only,
    "five minutes": five_minutes,
}


def families(seed: int, keys: int, names: list[str]) -> list[Traffic]:
    """The families of traffic of these names, in `keys` keys each; every family has random numbers of its own."""
    order = list(FAMILIES)
    return [replace(FAMILIES[name](seed * 100 + order.index(name), keys), name=name) for name in names]


def _delayed(rng: np.random.Generator, counts: Floats, prompt: Floats) -> Floats:
    """Counts by the window in which they come: each waiting record comes with probability `prompt` in a window."""
    came, waiting = np.zeros_like(counts), np.zeros(counts.shape[1])
    for window in range(len(counts)):
        waiting = waiting + counts[window]
        came[window] = rng.binomial(waiting.astype(int), prompt)
        waiting = waiting - came[window]
    return came
