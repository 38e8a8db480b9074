"""The index of a record depends on its event time and the fixed date, on nothing else."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import to_ms
from triage.elastic.naming import IndexNaming, belongs_to, daily_date, index_name

DAILY_FROM = date(2026, 10, 23)
moments = st.integers(0, 253_402_300_799_999)
dates = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def ms(*parts):
    return to_ms(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (ms(2026, 11, 22, 9, 30), "feedback-2026.11.22"),
        (ms(2026, 10, 23), "feedback-2026.10.23"),
        (ms(2026, 10, 23) - 1, "feedback-2026"),
        (ms(2000, 1, 1), "feedback-2000"),
        (ms(2000, 1, 1) - 1, "feedback-old"),
        (0, "feedback-old"),
        (ms(2027, 1, 1) - 1, "feedback-2026.12.31"),
    ],
)
def test_day_year_and_old(moment, name):
    assert index_name("feedback", moment, DAILY_FROM) == name
    assert IndexNaming("feedback", DAILY_FROM).index_for(moment) == name


def test_nothing_is_daily_before_2000_even_if_the_fixed_date_is():
    assert index_name("feedback", ms(1999, 6, 1), date(1999, 1, 1)) == "feedback-old"


@given(moments, dates, st.sampled_from(["feedback", "a", "feedback-eu", "x_1"]))
def test_every_name_is_recognised_and_its_day_is_the_events(moment, daily_from, prefix):
    name = index_name(prefix, moment, daily_from)
    assert belongs_to(prefix, name)
    day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment)).date()
    assert daily_date(prefix, name) == (day if day >= daily_from else None)


@given(moments, moments, dates)
def test_records_of_one_day_share_an_index_and_days_never_do_after_the_date(one, other, daily_from):
    same_day = one // 86_400_000 == other // 86_400_000
    names = {index_name("feedback", moment, daily_from) for moment in (one, other)}
    if same_day:
        assert len(names) == 1
    elif all(daily_date("feedback", name) for name in names):
        assert len(names) == 2


@given(st.lists(moments, max_size=200), dates)
def test_old_events_open_at_most_one_index_a_year(events, daily_from):
    early = {
        name for moment in events if daily_date("feedback", name := index_name("feedback", moment, daily_from)) is None
    }
    assert len(early) <= 1 + (daily_from.year - 2000 + 1)


@pytest.mark.parametrize(
    "name",
    [
        "feedback",
        "feedback-",
        "feedback-eu-2026",
        "feedback-eu-2026.11.22",
        "other-2026",
        "feedback-2026.13.01",
        "feedback-20266",
    ],
)
def test_names_of_others_are_not_ours(name):
    assert not belongs_to("feedback", name)
