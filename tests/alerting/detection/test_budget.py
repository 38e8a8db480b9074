"""Budgets of false alerts: how they are written, and what they say of one key and of all."""

import pytest

from triage.alerting.detection.budget import Budget, parse_budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("1 a week", Budget(1.0)),
        ("2 per  month", Budget(2 * 84 / 365.25)),
        ("0.5 a day", Budget(3.5)),
        ("0.005 a week per key", Budget(0.005, each_key=True)),
        (" 1000 a week a key ", Budget(1000.0, each_key=True)),
    ],
)
def test_a_budget_is_a_number_in_a_time_for_all_keys_or_for_each(text, budget):
    found = parse_budget(text)
    assert found.per_week == pytest.approx(budget.per_week)
    assert found.each_key == budget.each_key


@pytest.mark.parametrize("text", ["", "1", "1 week", "one a week", "0 a week", "-1 a week", "1001 a week", "1 a year"])
def test_everything_else_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"as 1 a week, 2 a month, or 0\.005 a week per key"):
        parse_budget(text)


def test_a_budget_for_all_keys_stays_the_same_however_many_there_are():
    assert parse_budget("1 a week").in_all(200) == 1
    assert parse_budget("0.005 a week per key").in_all(200) == pytest.approx(1)


def test_several_detectors_spend_parts_of_a_budget_for_all_keys():
    assert parse_budget("1 a week").part(0.25).in_all(8) == 0.25
    assert parse_budget("0.005 a week per key").part(0.25).per_week == 0.005
