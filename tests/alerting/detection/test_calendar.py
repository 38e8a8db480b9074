"""Where a window lies in the day and the week, and which bins it reads."""

from datetime import UTC, date, datetime

import pytest

from triage.alerting.detection.calendar import (
    DAY_KIND,
    DAY_OF_WEEK,
    HOUR_OF_DAY,
    HOUR_OF_WEEK,
    Calendar,
    Position,
    seasons_for,
)


def positions(*moment, step_s=3600, zone="UTC", holidays=()):
    start_ms = int(datetime(*moment, tzinfo=UTC).timestamp()) * 1000
    return Calendar(seasons_for(step_s), step_s, zone, holidays).positions(start_ms)


@pytest.mark.parametrize(
    ("step_s", "seasons"),
    [
        (60, (HOUR_OF_DAY, DAY_KIND, HOUR_OF_WEEK)),
        (86_399, (HOUR_OF_DAY, DAY_KIND, HOUR_OF_WEEK)),
        (86_400, (DAY_OF_WEEK,)),
        (604_799, (DAY_OF_WEEK,)),
        (604_800, ()),
    ],
)
def test_steps_have_the_seasons_that_they_can_tell_apart(step_s, seasons):
    assert seasons_for(step_s) == seasons


def test_an_hour_reads_its_own_bin_and_half_of_its_neighbours():
    """Thursday, 9 to 10 o'clock: its middle is 9.5 h after midnight and 81.5 h after the week began."""
    assert positions(2026, 1, 1, 9) == [
        Position(((8, 0.5), (9, 1.0), (10, 0.5)), 9),
        Position(((3, 1.0),), 3),
        Position(((81, 1.0),), 81),
    ]


def test_a_quarter_of_an_hour_reads_four_bins_of_the_day_and_two_of_the_week():
    day, _, week = positions(2026, 1, 1, 9, step_s=900)
    assert day == Position(((7, 0.1875), (8, 0.6875), (9, 0.8125), (10, 0.3125)), 9)
    assert week == Position(((80, 0.375), (81, 0.625)), 81)


def test_days_and_weeks_wrap_around():
    day, _, week = positions(2026, 1, 5, 0, step_s=900)  # Monday
    assert [bin_ for bin_, _ in day.read] == [22, 23, 0, 1]
    assert [bin_ for bin_, _ in week.read] == [167, 0]
    assert (day.write, week.write) == (0, 0)
    day, _, week = positions(2026, 1, 4, 23, 45, step_s=900)  # the end of a Sunday
    assert [bin_ for bin_, _ in day.read] == [22, 23, 0, 1]
    assert [bin_ for bin_, _ in week.read] == [167, 0]
    assert (day.write, week.write) == (23, 167)


def test_a_weekday_has_no_part_in_the_next_one():
    for moment in ((2026, 1, 2, 0), (2026, 1, 2, 23, 45)):
        assert positions(*moment, step_s=900)[1] == Position(((4, 1.0),), 4)
    assert positions(2026, 1, 1, 9, holidays=[date(2026, 1, 1)])[1] == Position(((6, 1.0),), None)


def test_a_window_of_a_day_reads_its_weekday():
    assert positions(2026, 1, 1, step_s=86_400) == [Position(((3, 1.0),), 3)]


def test_a_holiday_reads_sunday_and_writes_nothing():
    assert positions(2026, 1, 1, step_s=86_400, holidays=[date(2026, 1, 1)]) == [Position(((6, 1.0),), None)]
    day, _, week = positions(2026, 1, 1, 9, holidays=[date(2026, 1, 1)])
    assert (day.read, day.write) == (((8, 0.5), (9, 1.0), (10, 0.5)), None)
    assert (week.read, week.write) == (((153, 1.0),), None)


def test_the_zone_decides_the_hour_the_day_and_whether_it_is_a_holiday():
    """20:00 UTC on a Thursday is 04:00 on Friday in Shanghai."""
    day, _, week = positions(2026, 1, 1, 20, zone="Asia/Shanghai", holidays=[date(2026, 1, 1)])
    assert (day.write, week.write) == (4, 100)
    assert positions(2026, 1, 1, 20, zone="Asia/Shanghai", holidays=[date(2026, 1, 2)])[0].write is None
