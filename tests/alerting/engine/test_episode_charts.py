"""The chart of an episode: from before it began to after it ended, however long it lasts."""

import pytest
from engine_rig import START_MS, STEP_MS, Messages, Table, make, now, play

from triage.alerting.engine.episode_charts import MAX_STEPS, extended
from triage.clock import parse_rfc3339, rfc3339
from triage.schemas.alert import Chart

STEPS = 36


def latest(last, counts):
    """The chart of a series after the step `last`, as the rules keep it: its last 36 steps."""
    steps = range(last - STEPS + 1, last + 1)
    return Chart(rfc3339((last - STEPS + 1) * STEP_MS + START_MS), 300, [counts(s) for s in steps], [1.0] * STEPS)


def test_it_grows_with_each_step_and_takes_corrections():
    chart = extended(None, latest(0, lambda step: 1))
    chart = extended(chart, latest(1, lambda step: 1 if step < 0 else 7))
    assert chart.observed == [1] * 35 + [7, 7]
    assert parse_rfc3339(chart.start) == START_MS - 35 * STEP_MS
    assert len(chart.expected) == 37


@pytest.mark.parametrize("lasted", [MAX_STEPS, 500, 2_000])
def test_a_long_episode_has_longer_steps_and_no_record_is_lost_or_counted_twice(lasted):
    chart = None
    for last in range(lasted):
        chart = extended(chart, latest(last, lambda step: max(step, 0) % 7))
    width = chart.step_s // 300
    assert MAX_STEPS / 2 <= len(chart.observed) <= MAX_STEPS
    begin = -STEPS + 1
    whole = len(chart.observed) * width
    assert chart.observed == [
        sum(max(step, 0) % 7 for step in range(begin + at, begin + at + width)) for at in range(0, whole, width)
    ]
    assert chart.expected == [pytest.approx(width)] * len(chart.observed)
    assert 0 <= begin + whole - lasted + width < 2 * width, "up to the last whole step"


def test_an_alert_has_its_chart_also_once_it_is_over_and_after_a_restart():
    engine, messages, table = make(now()), Messages(), Table()
    steps = [messages.counts(0, 1, 9), messages.counts(1, 12, 15), messages.counts(2, 14, 15)]
    quiet = [messages.counts(step, 0, 9) for step in range(3, 6)]
    [page] = play(engine, [*steps, messages.mark(3)], table)
    again = make(now())
    again.restore(table.entries)
    play(again, [*quiet, messages.mark(6)], table)
    alert = again.alert(again.episode(page.alert.dedup_key))
    assert alert.status == "resolved"
    assert alert.chart.observed[-6:] == [1, 12, 14, 0, 0, 0]
    assert f"chart:{alert.dedup_key}" in table.entries
