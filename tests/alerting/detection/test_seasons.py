"""Factors of seasons, from tables of two bins."""

from dataclasses import replace

import numpy as np
import pytest

from triage.alerting.detection.calendar import Position, Season
from triage.alerting.detection.seasons import SeasonTables

# Each bin comes once in two hours; after one more visit half of a count is left.
TWO = Season("two", bins=2, period_s=7200, prior=10.0, spread=0.5, reach=1.0, half_life_s=7200)
FIRST, SECOND = Position(((0, 1.0),), 0), Position(((1, 1.0),), 1)


def learnt(*windows, seasons=(TWO,), step_s=3600):
    """Tables of two keys after (position, count, expected without factors); the second key has no counts."""
    tables = SeasonTables(seasons, step_s)
    values = np.zeros((tables.rows, 2), np.float32)
    for position, count, without in windows:
        tables.learn(values, [position] * len(seasons), np.array([count, 0.0]), np.array([without, 0.0]))
    return tables, values


def test_a_factor_is_the_count_over_what_was_expected_shrunk_to_one():
    tables, values = learnt((FIRST, 30, 10))
    assert tables.factors(values, [FIRST])[0].tolist() == [2.0, 1.0]
    assert tables.factors(values, [SECOND])[0].tolist() == [1.0, 1.0]


def test_a_bin_fades_at_each_of_its_visits():
    tables, values = learnt((FIRST, 30, 10), (FIRST, 30, 10))
    assert tables.factors(values, [FIRST])[0][0] == pytest.approx((45 + 10) / (15 + 10))
    tables, values = learnt((FIRST, 30, 10), (SECOND, 0, 0), (SECOND, 0, 0))
    assert tables.factors(values, [FIRST])[0][0] == 2.0


def test_half_lives_count_time_and_not_visits():
    """Windows of half an hour visit a bin of an hour twice."""
    _, values = learnt((FIRST, 16, 8), (FIRST, 0, 0), (FIRST, 0, 0), step_s=1800)
    assert values[[0, 2], 0].tolist() == pytest.approx([8, 4])
    _, values = learnt((FIRST, 16, 8), (FIRST, 0, 0), step_s=7200)
    assert values[[0, 2], 0].tolist() == [8, 4], "a window longer than a bin is one visit"


def test_reading_between_two_bins_mixes_them():
    tables, values = learnt((FIRST, 40, 10), (SECOND, 0, 10))
    assert tables.factors(values, [Position(((0, 0.75), (1, 0.25)), 0)])[0][0] == pytest.approx(40 / 20)


def test_how_unsure_a_factor_is_falls_with_what_it_was_learnt_from():
    tables, values = learnt((FIRST, 30, 40))
    _, unsure = tables.read(values, [FIRST], np.array([4.0, 4.0]))
    assert unsure.tolist() == pytest.approx([(0.5 * 10 / 50) ** 2 + 4 / 50, 0.5**2 + 4 / 10])
    assert tables.read(values, [FIRST], None)[1].tolist() == [0.0, 0.0]


def test_a_holiday_writes_nothing_and_the_next_season_is_still_written():
    tables = SeasonTables((TWO, replace(TWO, bins=3)), 3600)
    values = np.zeros((tables.rows, 1), np.float32)
    tables.learn(values, [Position((), None), Position((), 2)], np.array([6.0]), np.array([5.0]))
    assert tables.rows == 10
    assert values[:, 0].tolist() == [0, 0, 0, 0, 0, 0, 6, 0, 0, 5]


def test_a_season_learns_what_those_before_it_do_not_explain():
    """Else three seasons that all learn a quiet Sunday would expect the next one to be quieter still."""
    tables, values = learnt((FIRST, 1000, 10_000), seasons=(TWO, TWO, TWO))
    first, second, third = (factor[0] for factor in tables.factors(values, [FIRST] * 3))
    assert first == pytest.approx(0.1, rel=0.1)
    assert (second, third) == pytest.approx((1, 1), rel=0.02)


def test_the_rows_of_a_season_are_found_by_its_name():
    tables = SeasonTables((TWO, replace(TWO, name="three", bins=3)), 3600)
    assert (tables.rows_of("two"), tables.rows_of("three")) == (slice(0, 4), slice(4, 10))
    assert tables.rows_of("none") == slice(0, 0)
