"""`python -m benchmarks.alerts_unseen`: families of traffic that no setting of the spike detector was chosen with.

They differ from those of `alerts_families` in kind: rates that wander, clusters of any size, nights without a record,
bursts within minutes, quarters of an hour. The table has the columns of `make bench NAME=alerts`.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.alerts import compare, print_family
from benchmarks.alerts_data import Floats, counts_of
from benchmarks.alerts_families import Traffic, _finish, _Plan, _plan

_LEAST = 0.01


def wandering(seed: int, keys: int) -> Traffic:
    """The rate of all traffic wanders: its logarithm is an AR(1) process that forgets in 3 to 30 hours."""
    plan = _plan(seed, keys, (0.1, 100), weeks=10, scored_weeks=4, step_s=3600)
    kept, sd = np.exp(-1 / plan.rng.uniform(3, 30, keys)), plan.rng.uniform(0.1, 0.5, keys)
    rate, at = np.empty_like(plan.mean), np.zeros(keys)
    for window, shock in enumerate(plan.rng.normal(0, 1, rate.shape)):
        at = at * kept + shock * np.sqrt(1 - kept**2) * sd
        rate[window] = np.exp(at - sd**2 / 2)
    return _drawn("wandering", plan, plan.mean * plan.lift, rate, plan.rng.uniform(1, 1.5, keys))


def clusters(seed: int, keys: int) -> Traffic:
    """Complaints come in clusters whose size has a heavy tail: geometric sizes of a mean drawn from a Pareto law."""
    plan = _plan(seed, keys, (0.1, 60), weeks=10, scored_weeks=4, step_s=3600)
    mean = np.maximum(plan.mean * plan.lift, _LEAST)
    size = np.minimum(1 + plan.rng.pareto(2.5, keys), 6)
    begun = plan.rng.poisson(mean / size)
    negative = begun + plan.rng.negative_binomial(np.maximum(begun, 1), 1 / size) * (begun > 0)
    others = counts_of(plan.rng, mean * (1 - plan.share) / plan.share, 1.5)
    return _finish("clusters", plan, mean, mean * (2 * size - 1), negative.astype(float), others)


def closed_nights(seed: int, keys: int) -> Traffic:
    """Half-hour windows of shops that are closed for ten hours of each night, with a thousandth of the traffic."""
    plan = _plan(seed, keys // 2, (0.2, 100), weeks=6, scored_weeks=3, step_s=1800)
    closed = (plan.hour + plan.rng.uniform(0, 24, plan.keys)) % 24 < 10
    mean = np.maximum(plan.mean * plan.lift * np.where(closed, 0.001, 1.7), _LEAST / 2)
    return _drawn("closed nights", plan, mean, np.ones_like(mean), plan.rng.uniform(1, 2, plan.keys))


def bursts_in_minutes(seed: int, keys: int) -> Traffic:
    """Five-minute windows in which each negative record brings .1 to .6 others within the hour."""
    plan = _plan(seed, max(keys // 3, 4), (0.3, 300), weeks=3, scored_weeks=1, step_s=300)
    rng, mean = plan.rng, np.maximum(plan.mean * plan.lift, _LEAST / 12)
    branching, decay = rng.uniform(0.1, 0.6, plan.keys), np.exp(-1 / rng.uniform(1, 8, plan.keys))
    negative, memory = np.empty_like(mean), mean[0] * branching
    for window in range(len(mean)):
        negative[window] = rng.poisson(mean[window] * (1 - branching) + memory)
        memory = memory * decay + branching * (1 - decay) * negative[window]
    hourly, usual = (x[: len(x) // 12 * 12].reshape(-1, 12, plan.keys).sum(axis=1) for x in (negative, mean))
    phi = np.maximum(((hourly - usual) ** 2).sum(axis=0) / usual.sum(axis=0), 1.0)
    others = counts_of(rng, mean * (1 - plan.share) / plan.share, 1.5)
    return _finish("bursts in minutes", plan, mean, mean * phi, negative, others)


def quarters(seed: int, keys: int) -> Traffic:
    """Windows of fifteen minutes whose variance grows with the square of the mean: shape 1 to 10."""
    plan = _plan(seed, keys // 2, (0.1, 200), weeks=5, scored_weeks=2, step_s=900)
    mean = np.maximum(plan.mean * plan.lift, _LEAST / 4)
    phi = 1 + mean / np.exp(plan.rng.uniform(0, np.log(10), plan.keys))
    others = counts_of(plan.rng, mean * (1 - plan.share) / plan.share, 1.5)
    return _finish("quarters", plan, mean, mean * phi, counts_of(plan.rng, mean, phi), others)


UNSEEN: dict[str, Callable[[int, int], Traffic]] = {
    "wandering": wandering,
    "clusters": clusters,
    "closed nights": closed_nights,
    "bursts in minutes": bursts_in_minutes,
    "quarters": quarters,
}


def _drawn(name: str, plan: _Plan, mean: Floats, rate: Floats, phi: Floats) -> Traffic:
    """Counts of this dispersion around `mean` times `rate`; the oracle knows both."""
    mean = np.maximum(mean * rate, _LEAST * plan.step_s / 3600)
    others = counts_of(plan.rng, mean * (1 - plan.share) / plan.share, phi)
    return _finish(name, plan, mean, mean * phi, counts_of(plan.rng, mean, phi), others)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=300, help="of each family")
    parser.add_argument("--seeds", type=int, nargs="+", default=[90_021])
    parser.add_argument("--families", nargs="+", choices=UNSEEN, default=list(UNSEEN), metavar="NAME")
    arguments = parser.parse_args()
    for name in arguments.families:
        drawn = [replace(UNSEEN[name](seed, arguments.keys), name=name) for seed in arguments.seeds]
        print_family(name, [list(compare(data, rivals=False)) for data in drawn])


if __name__ == "__main__":
    main()
