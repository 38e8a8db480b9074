"""The level of counts: conjugate updates worked out by hand, and the year of long windows."""

import math

import numpy as np
import pytest

from triage.alerting.detection.level import Level

DAY_S = 86_400
YEAR_MS = round(365.25 * DAY_S * 1000)


def blank(level):
    return level.blank()[:, None]


def learn(level, state, count, exposure, start_ms=0):
    level.learn(state, start_ms, np.array([float(count)]), np.array([float(exposure)]))


def predict(level, state, start_ms=0, ahead=0):
    return [array[0] for array in level.predict(state, start_ms, ahead)]


def test_half_a_count_in_a_twentieth_of_a_window_is_known_of_a_new_key():
    level = Level(3600, 10, slow=False)
    assert level.rows == 2
    assert predict(level, blank(level)) == pytest.approx([10.0, 2.0])


def test_a_window_adds_its_count_and_exposure_to_the_gamma():
    level = Level(3600, 10, slow=False)
    state = blank(level)
    learn(level, state, 6, 1)
    assert predict(level, state) == pytest.approx([6.5 / 1.05, 1 / 6.5 * 2**0.1])
    learn(level, state, 6, 1)
    shape = 6.5 / 2**0.1
    assert predict(level, state)[0] == pytest.approx((shape + 6) / (shape / (6.5 / 1.05) + 1))


def test_a_window_without_exposure_changes_nothing():
    level = Level(3600, 10, slow=False)
    state = blank(level)
    learn(level, state, 6, 1)
    before = state.copy()
    learn(level, state, 0, 0)
    assert state.tolist() == [pytest.approx(row) for row in before.tolist()]


def test_forgetting_ends_at_what_is_known_of_a_new_key():
    level = Level(3600, 0.1, slow=False)
    state = blank(level)
    learn(level, state, 1, 1)
    assert predict(level, state)[1] == 2.0


def test_a_shifted_level_has_the_given_variance():
    level = Level(3600, 10, slow=False)
    state = np.repeat(blank(level), 2, axis=1)
    level.shift(state, np.array([1]), np.array([math.log(2)]), np.array([0.25]))
    mean, variance = level.predict(state, 0, 0)
    assert (mean.tolist(), variance.tolist()) == (pytest.approx([10, 20]), pytest.approx([2.0, 0.25]))


def test_days_have_a_trend_and_two_waves_a_year():
    level = Level(DAY_S, 40, slow=True)
    assert (level.terms, level.rows) == (6, 42)
    state = blank(level)
    assert predict(level, state) == pytest.approx([10.0, 2 + 0.5**2 + 0.08**2])
    assert predict(level, state, ahead=100)[1] == pytest.approx(2.2564 + (100 * 0.2 / 365.25) ** 2)
    state[1], state[2], state[5] = 0.01, math.log(2), math.log(3)
    assert predict(level, state)[0] == pytest.approx(20.0)
    assert predict(level, state, ahead=7)[0] == pytest.approx(20.0 * math.exp(0.07))
    assert predict(level, state, YEAR_MS // 2)[0] == pytest.approx(5.0)
    assert predict(level, state, YEAR_MS // 8)[0] == pytest.approx(10.0 * 2 ** math.cos(math.pi / 4) * 3)


def test_the_slope_s_prior_is_a_fifth_of_the_level_a_year_whatever_the_step():
    for step_s, windows in ((DAY_S, 365.25), (7 * DAY_S, 365.25 / 7)):
        state = Level(step_s, 40, slow=True).blank()
        assert state[6 + 7] ** 0.5 * windows == pytest.approx(0.2)


def test_a_day_moves_all_terms_so_that_the_day_is_met():
    """Of six counts where ten were expected with variance 2.2564: (shape + 6) / (shape / 10 + 1)."""
    level = Level(DAY_S, 40, slow=True)
    state = blank(level)
    learn(level, state, 6, 1)
    shape = 1 / 2.2564
    met = (shape + 6) / (shape / 10 + 1)
    assert predict(level, state, ahead=-1)[0] == pytest.approx(met)
    share = math.log(met / 10) / 2.2564
    assert state[[2, 4], 0].tolist() == pytest.approx([0.25 * share, 0.0064 * share])
    assert state[[3, 5], 0].tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


def test_what_is_known_of_the_year_is_kept_for_ten_years():
    level = Level(DAY_S, 40, slow=True)
    state = blank(level)
    learn(level, state, 6, 1)
    gain = (1 - (1 / (1 / 2.2564 + 6)) / 2.2564) / 2.2564
    kept = 0.5 ** (1 / 3652.5)
    assert state[6 + 2 * 7, 0] == pytest.approx((0.25 - 0.25**2 * gain) / kept, rel=1e-9)
    assert state[6 + 3 * 7, 0] == pytest.approx(0.25 / kept, rel=1e-9)
