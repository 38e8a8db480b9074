"""Recalibration by a key's own tail: what counts as heavy, and how fast a tail is learnt."""

import numpy as np
import pytest

from triage.alerting.detection import heavy_tail


def recalibrated(score, quantile=2.326, excess=0.339):
    return heavy_tail.recalibrate(*(np.array([value]) for value in (score, quantile, excess)))[0]


def learn(score, quantile, excess, inside=0.0, *, active=True):
    arrays = [np.array([value]) for value in (quantile, excess, inside)]
    heavy_tail.learn(np.array([score]), *arrays, np.array([active]))
    return [array[0] for array in arrays]


@pytest.mark.parametrize(("quantile", "excess"), [(2.326, 0.339), (3.0, 0.339), (2.326, 0.5)])
def test_a_normal_tail_leaves_scores_as_they_are(quantile, excess):
    """The quantile may be 0.7 too high and the excess half as high again before they count."""
    assert [recalibrated(score, quantile, excess) for score in (-1.0, 2.0, 5.0)] == [-1.0, 2.0, 5.0]


def test_scores_shift_down_by_how_far_the_quantile_stands_out():
    assert recalibrated(5.326, quantile=4.026) == pytest.approx(4.326)
    assert recalibrated(3.0, quantile=4.026) == pytest.approx(2.0)


def test_an_excess_twice_as_large_halves_what_is_above_the_quantile():
    assert recalibrated(4.326, excess=2 * 1.5 * 0.339) == pytest.approx(2.326 + 1.0)
    assert recalibrated(1.326, excess=2 * 1.5 * 0.339) == pytest.approx(1.326), "below it nothing is scaled"


def test_the_first_window_above_the_quantile_is_learned_by_both():
    assert learn(5.0, 3.0, 1.0) == pytest.approx([3.0 + 0.25 * 0.99, 1.0 + 0.08 * (2.0 - 1.0), 1.0])


def test_the_windows_after_it_in_a_run_are_not_learned():
    assert learn(5.0, 3.0, 1.0, inside=1.0) == [3.0, 1.0, 1.0]


@pytest.mark.parametrize("score", [1.0, 3.0])
def test_windows_that_are_not_above_the_quantile_lower_it_slowly(score):
    assert learn(score, 3.0, 1.0, inside=1.0) == pytest.approx([3.0 - 0.25 * 0.01, 1.0, 0.0])


def test_one_window_counts_for_at_most_six_above_the_quantile():
    assert learn(100.0, 3.0, 1.0)[1] == pytest.approx(1.0 + 0.08 * 5.0)


def test_a_learning_key_changes_neither():
    assert learn(5.0, 3.0, 1.0, active=False) == [3.0, 1.0, 0.0]


def test_a_tail_is_never_lighter_than_a_normal_one():
    assert learn(0.0, 2.326, 0.339) == [2.326, 0.339, 0.0]
    assert learn(3.01, 3.0, 0.339)[1] == 0.339
