"""The benchmark of alerts: families that the seed determines, the oracle's false alerts, and NAB's score."""

import gzip
import json

import numpy as np
import pytest

from benchmarks.alerts_compare import BUDGET, at_budget, oracle, outcome
from benchmarks.alerts_families import FAMILIES, families
from benchmarks.alerts_nab import RealSeries, nab_score, read_series
from benchmarks.alerts_unseen import UNSEEN


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_drawn_again_from_its_seed_and_has_the_mean_that_the_oracle_is_told(name):
    one, again, other = (families(seed, 24, [name])[0] for seed in (7, 7, 8))
    assert np.array_equal(one.negative, again.negative)
    assert not np.array_equal(one.negative, other.negative)
    assert (one.total >= one.negative).all()
    quiet = (one.negative - one.excess).sum()
    assert quiet == pytest.approx(one.mean.sum(), rel=0.1)
    inside = (np.arange(len(one.mean))[:, None] >= one.spike[0]) & (one.spike[0] >= one.scored_from)
    assert one.excess[~inside].sum() == 0


@pytest.mark.parametrize("name", UNSEEN)
def test_an_unseen_family_is_drawn_again_from_its_seed_and_has_the_mean_that_the_oracle_is_told(name):
    one, again = (UNSEEN[name](7, 24) for _ in range(2))
    assert np.array_equal(one.negative, again.negative)
    assert (one.total >= one.negative).all()
    assert (one.negative - one.excess).sum() == pytest.approx(one.mean.sum(), rel=0.1)


def test_the_oracle_by_budget_finds_spikes_and_few_others():
    data = families(7, 60, ["plain"])[0]
    found = at_budget(data, oracle(data))
    assert found.false <= BUDGET
    assert found.within[">=20"] > 0.95
    everything, nothing = (outcome(data, np.full(data.mean.shape, fires)) for fires in (True, False))
    assert everything.found == {"12-20": 1.0, ">=20": 1.0}
    assert (nothing.false, nothing.first_week, nothing.benign) == (0.0, 0.0, 0.0)
    assert everything.first_week == 1.0


def series(labels, windows=1000):
    return RealSeries("k", np.arange(windows) * 300_000, np.zeros(windows), labels)


def at(*windows):
    fired = np.zeros(1000, bool)
    fired[list(windows)] = True
    return fired


def test_nabs_score_is_100_for_the_first_window_of_each_interval_and_0_for_silence():
    one = series([(300, 400), (700, 800)])
    assert nab_score([one], [at(300, 700)]) == pytest.approx(100)
    assert nab_score([one], [at()]) == 0
    assert nab_score([one], [at(300)]) == pytest.approx(50)
    late = nab_score([one], [at(390, 790)])
    assert 50 < late < 80


def test_an_alert_outside_costs_as_much_as_its_distance_says_but_nothing_in_the_probation():
    one = series([(300, 400)])
    found = nab_score([one], [at(300)])
    assert nab_score([one], [at(300, 10, 149)]) == found
    soon, far = (nab_score([one], [at(300, window)]) for window in (405, 900))
    assert found > soon > far
    assert found - far == pytest.approx(100 * 0.11 / 2, rel=0.01)


def test_series_are_read_with_their_labels(tmp_path):
    rows = [f"2015-03-01T00:{minute:02d}:00Z,K,{minute}," for minute in range(0, 60, 5)]
    with gzip.open(tmp_path / "K.csv.gz", "wt") as file:
        file.write("\n".join(["window_start,key,negative,total", *rows]))
    (tmp_path / "windows.json").write_text(json.dumps({"K": [["2015-03-01 00:10:00", "2015-03-01 00:20:00"]]}))
    (found,) = read_series(tmp_path)
    assert (found.step_s, found.labels, found.counts[2]) == (300, [(2, 4)], 10.0)
