"""Scores of counts against distributions whose tails can be worked out by hand."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from triage.alerting.detection.tail import surprise, upper_quantile


def score(count, mean, variance):
    return surprise(*(np.array([float(value)]) for value in (count, mean, variance)))[0]


def z_of(tail):
    return -NormalDist().inv_cdf(tail)


def test_a_negative_binomial_s_tail_is_exact():
    """Mean 4, variance 12: size 2, p 1/3, so that P(X >= k) = (2/3)^k (1 + k/3)."""
    above = [(2 / 3) ** k * (1 + k / 3) for k in (20, 21)]
    assert score(20, 4, 12) == pytest.approx(z_of(sum(above) / 2), rel=1e-9)


def test_counts_that_vary_as_their_mean_are_poisson():
    point = math.exp(-3) * 3**10 / math.factorial(10)
    beyond = 1 - sum(math.exp(-3) * 3**k / math.factorial(k) for k in range(11))
    assert score(10, 3, 0) == pytest.approx(z_of(beyond + point / 2), rel=1e-3)
    assert score(10, 3, 0) == score(10, 3, 3)


def test_scores_below_one_are_pearson_s():
    assert score(5, 4, 16) == 0.25
    assert score(2, 4, 16) == -0.5


@pytest.mark.parametrize("mean", [0, -1])
def test_what_is_never_expected_scores_nothing(mean):
    assert score(7, mean, 1) == 0


def test_a_tail_beyond_doubles_is_scored_by_its_deviance():
    """Mean 1, variance 2: size 1, and P(X >= 2000) is 2^-2000."""
    deviance = 2 * (2000 * math.log(2000) - 2001 * math.log(2001 / 2))
    assert score(2000, 1, 2) == pytest.approx(math.sqrt(deviance), rel=1e-9)
    assert score(2000, 1, 2) > score(1900, 1, 2) > 50


def test_arrays_of_any_shape_are_scored_apart():
    count = np.array([[20.0, 2.0], [5.0, 20.0]])
    scores = surprise(count, np.full((2, 2), 4.0), np.full((2, 2), 12.0))
    assert scores.tolist() == [[score(value, 4, 12) for value in row] for row in count]


@pytest.mark.parametrize(
    ("mean", "variance", "z", "count"),
    [
        (9, 9, 1, 12),
        (9, 9, 3, 9 + 3 * (3 + 8 / 18)),
        (9, 1, 3, 9 + 3 * (3 + 8 / 18)),  # never less than a Poisson
        (9, 36, 2, 9 + 6 * (2 + 7 / 6 * 3 / 6)),
    ],
)
def test_quantiles_are_corrected_for_the_skew(mean, variance, z, count):
    assert upper_quantile(np.array([float(mean)]), np.array([float(variance)]), z)[0] == pytest.approx(count)
