"""The threshold that spends a budget: what it rises and falls with, and which runs it learns from."""

import numpy as np
import pytest

from triage.alerting.detection.budget import Budget
from triage.alerting.detection.threshold import TailModel

HOUR_S, WEEKS = 3600, 168
DEFAULT = Budget(0.005, each_key=True)
BUSY = Budget(0.001, each_key=True)


def model(keys=1, mean=2.0, phi=1.5, age=4 * WEEKS, step_s=HOUR_S, runs=0.0, predicted=0.0):
    """A model, its rows, and the rates of keys that are all alike."""
    tail = TailModel(step_s)
    rows = {"peak": np.zeros(keys), "runs": np.full(keys, runs), "predicted_runs": np.full(keys, predicted)}
    rate, slope = tail.rates(np.log(np.full(keys, mean)), np.full(keys, phi), np.full(keys, float(age)))
    return tail, rows, rate, slope


def threshold(budget=DEFAULT, watched=None, **of):
    tail, rows, rate, slope = model(**of)
    return tail.threshold(rows, rate, slope, np.ones(len(rate), bool) if watched is None else watched, budget)


def test_the_default_budget_has_a_threshold_near_the_reference():
    assert 2.9 < threshold() < 4.2


def test_a_larger_budget_lowers_it_and_more_keys_of_one_budget_raise_it():
    assert threshold(Budget(0.05, each_key=True)) < threshold() < threshold(Budget(0.0005, each_key=True))
    few, many = (threshold(Budget(1.0), keys=keys) for keys in (10, 1000))
    assert few < many
    assert threshold(Budget(1.0), keys=200) == pytest.approx(threshold(), abs=1e-6)


def test_rare_counts_and_young_keys_raise_it():
    assert threshold(mean=0.05) > threshold(mean=2) > threshold(mean=50)
    assert threshold(age=WEEKS) > threshold(age=8 * WEEKS)


def test_rare_counts_raise_it_more_in_windows_of_minutes():
    hourly, short = ([threshold(mean=per_hour * step_s / HOUR_S, step_s=step_s) for per_hour in (0.2, 50)]
                     for step_s in (HOUR_S, 300))  # fmt: skip
    assert short[0] - short[1] > hourly[0] - hourly[1] + 0.15


def test_windows_of_a_day_need_less_as_there_are_fewer():
    assert threshold(BUSY, mean=4.8, step_s=86_400) < threshold(BUSY, mean=0.2) - 0.5


def test_more_runs_than_predicted_raise_it_and_fewer_lower_it():
    usual = threshold(keys=100, runs=0.5, predicted=0.5)
    assert threshold(keys=100, runs=1.0, predicted=0.5) > usual + 0.1
    assert threshold(keys=100, runs=0.1, predicted=0.5) < usual - 0.1
    assert threshold(keys=1, runs=1.0, predicted=0.5) < usual + 0.05, "one key says little"


def test_without_a_watched_key_it_is_the_reference_and_it_has_bounds():
    assert threshold(watched=np.array([False])) == 3.8
    assert threshold(Budget(1000.0, each_key=True)) == 2.5
    assert threshold(Budget(1000.0, each_key=True), step_s=86_400) == 3.0
    assert threshold(Budget(1000.0, each_key=True), step_s=604_800) == 2.5
    assert threshold(Budget(1e-30, each_key=True)) == 12.0


def learned(scores, age=4 * WEEKS):
    tail, rows, rate, slope = model()
    for score in scores:
        tail.learn(rows, np.array([float(score)]), np.array([float(age)]), rate, slope)
    return rows


@pytest.mark.parametrize(
    ("scores", "runs"),
    [
        ([0, 3.5, 0], 1),
        ([0, 3.5, 2.5, 4.4, 0, 0], 1),
        ([0, 3.5, 0, 3.2, 0], 2),
        ([0, 2.9, 0], 0),
        ([0, 3.5, 9.0, 3.5, 0], 0),
        ([0, 3.5], 0),
    ],
    ids=["one window", "one run", "two runs", "too low", "a spike", "not over yet"],
)
def test_a_run_counts_once_when_it_is_over_unless_it_was_a_spike(scores, runs):
    assert learned(scores)["runs"][0] == pytest.approx(runs, rel=0.02)


def test_keys_that_have_not_seen_a_week_count_nothing():
    rows = learned([0, 3.5, 0], age=7 * 24)
    assert (rows["runs"][0], rows["predicted_runs"][0]) == (0, 0)
    assert learned([0, 3.5, 0])["predicted_runs"][0] > 0
