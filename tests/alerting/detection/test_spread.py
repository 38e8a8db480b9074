"""Dispersion of counts about their mean, from sums that fit on a page."""

import numpy as np
import pytest

from triage.alerting.detection.spread import Spread


def learnt(count, mean, *, floor=1.0, kept=0.5):
    spread = Spread(2, kept, floor)
    rows = np.zeros((spread.rows, 1))
    spread.learn(rows, np.array(count, float)[:, None], np.array(mean, float)[:, None])
    return spread, rows


def test_counts_are_taken_to_vary_twice_as_much_as_a_poisson_s_before_any_is_seen():
    spread, rows = learnt([0, 0], [0, 0])
    assert spread.phi(rows)[:, 0].tolist() == [2.0, 2.0]
    assert spread.variance(rows, np.full((2, 1), 10.0), spread.phi(rows))[:, 0].tolist() == [15.0, 15.0]


def test_sums_are_added_and_never_vary_less_than_windows():
    spread, rows = learnt([7, 10], [5, 8])
    assert rows[:, 0].tolist() == [4, 4, 5, 8, 25, 64]
    assert spread.phi(rows)[:, 0].tolist() == pytest.approx([20 / 13, 20 / 13]), "20/16 for the wider sum alone"


def test_overdispersion_grows_with_the_square_of_the_mean():
    spread, rows = learnt([15, 15], [5, 5])
    phi, kappa = 116 / 13, 95 / 33
    mean = np.full((2, 1), 10.0)
    assert spread.variance(rows, mean, spread.phi(rows))[0, 0] == pytest.approx(5 * (kappa * 10 + phi + 1))


def test_less_than_a_poisson_s_variance_has_a_floor():
    assert learnt([100, 100], [100, 100])[0].phi(learnt([100, 100], [100, 100])[1])[0, 0] == 1.0
    spread, rows = learnt([100, 100], [100, 100], floor=0.3)
    assert spread.phi(rows)[0, 0] == 0.3


def test_old_sums_fade_and_a_mean_of_zero_adds_nothing():
    spread, rows = learnt([7, 10], [5, 8])
    spread.learn(rows, np.array([[9.0], [9.0]]), np.zeros((2, 1)))
    assert rows[:, 0].tolist() == [2, 2, 2.5, 4, 12.5, 32]


def test_prudence_adds_one_and_a_half_standard_errors():
    spread, rows = learnt([0, 0], [0, 0])
    phi = np.array([[2.0], [0.5]])
    assert spread.prudent(rows, phi)[:, 0].tolist() == pytest.approx([2 + 1.5 * (26 / 8) ** 0.5, 0.5])
    spread, rows = learnt([24, 24], [24, 24])
    assert spread.prudent(rows, phi)[0, 0] == pytest.approx(2 + 1.5 * (26 / 32) ** 0.5)


def test_the_margin_of_prudence_is_set_by_the_number_of_windows():
    phi = np.array([[2.0], [2.0]])
    plain, wide = Spread(2, 0.5, 1.0), Spread(2, 0.5, 1.0, 3.0)
    rows = np.zeros((plain.rows, 1))
    assert wide.prudent(rows, phi) - phi == pytest.approx(2 * (plain.prudent(rows, phi) - phi))
