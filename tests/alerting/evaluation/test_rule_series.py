"""One rule's series, step by step: windows, thresholds, what is stored of it and how it continues."""

import numpy as np
import pytest
from engine_rig import STEP_MS, spike_rule, static_rule

from triage.alerting.evaluation.series import RuleSeries
from triage.alerting.evaluation.stored_baseline import StepCount
from triage.alerting.rules.model import AlertRules

DAY_MS = 86_400_000


def series(rule=None, top_keys=9):
    rule = rule or static_rule(window_s=900, count=10)
    return RuleSeries(rule, AlertRules([rule]), step_ms=STEP_MS, top_keys=top_keys)


def counts(**pairs):
    return {f"intent={name}": StepCount({"intent": name}, *pair) for name, pair in pairs.items()}


def learned(rule, steps=40, first=0, keys=("a",)):
    found = series(rule, top_keys=20)
    for number in range(first, first + steps):
        found.close(number * STEP_MS, counts(**dict.fromkeys(keys, (3 + number % 3, 10))))
    return found


def test_a_window_is_the_sum_of_the_rule_s_last_steps():
    found = series()
    for number, negative in enumerate((1, 20, 3, 4)):
        found.close(number * STEP_MS, counts(a=(negative, 30)))
    assert found.correct(3 * STEP_MS, "intent=a", {"intent": "a"}, 2, 5)
    window = found.window("intent=a", {"intent": "a"})
    assert (window.negative, window.total, window.late) == (29, 95, 5)
    assert (window.step_start_ms, window.end_ms, window.window_ms) == (3 * STEP_MS, 4 * STEP_MS, 900_000)
    assert (window.rule, window.key, found.dimensions("intent=a")) == ("spike", "intent=a", {"intent": "a"})
    empty = found.window("intent=b", {"intent": "b"})
    assert (empty.negative, empty.total, empty.late) == (0, 0, 0)


def test_a_correction_of_a_key_that_is_not_tracked_goes_to_the_others():
    found = series(top_keys=1)
    found.close(0, counts(a=(5, 5), b=(1, 2)))
    assert found.correct(0, "intent=b", {"intent": "b"}, 1, 3)
    others = found.window("intent=__other__", {})
    assert (others.negative, others.total, others.late) == (2, 5, 3)


def test_a_correction_of_a_key_that_is_not_tracked_yet_makes_it_tracked_while_there_is_room():
    found = series(top_keys=2)
    found.close(0, counts(a=(5, 5)))
    assert found.correct(0, "intent=b", {"intent": "b"}, 12, 12)
    assert found.correct(0, "intent=c", {"intent": "c"}, 1, 3)
    assert "intent=b" in found.close(STEP_MS, counts(a=(0, 5))), "it is not dropped as idle"
    late = found.window("intent=b", {"intent": "b"})
    assert (late.negative, late.total, late.late) == (12, 12, 12)
    others = found.window("intent=__other__", {})
    assert (others.negative, others.total, others.late) == (1, 3, 3)


def test_a_correction_of_what_the_rule_does_not_sum_any_more_is_refused():
    found = series()
    assert not found.correct(0, "intent=a", {"intent": "a"}, 1, 1), "nothing is closed"
    found.close(0, counts(a=(5, 5)))
    found.close(500 * STEP_MS, counts(a=(5, 5)))
    assert not found.correct(0, "intent=a", {"intent": "a"}, 1, 1)
    assert not found.correct(501 * STEP_MS, "intent=a", {"intent": "a"}, 1, 1)


@pytest.mark.parametrize(
    ("pair", "fires"), [((10, 20), True), ((9, 9), False), ((10, 21), False), ((11, 22), True), ((0, 0), False)]
)
def test_thresholds_hold_at_their_values(pair, fires):
    found = series()
    assert found.close(0, counts(a=pair)) == (["intent=a"] if fires else [])
    verdict = found.verdict("intent=a")
    assert (verdict.firing, verdict.causes) == (fires, ("static",) if fires else ())
    assert (verdict.expected, verdict.score) == (None, None)


def test_keys_that_fire_are_sorted_and_an_unknown_one_does_not():
    found = series()
    assert found.close(0, counts(b=(10, 10), c=(1, 1), a=(10, 10))) == ["intent=a", "intent=b"]
    assert not found.verdict("intent=z").firing
    assert found.chart("intent=z") is None
    assert (len(found), found.untracked, found.learning) == (3, 0, 0)


def test_a_rule_s_window_is_at_least_one_step():
    found = series(static_rule(window_s=300, count=10))
    found.close(0, counts(a=(10, 10)))
    assert found.close(STEP_MS, counts(a=(1, 1))) == []


def test_a_chart_has_the_last_thirty_six_steps():
    found = series()
    for number in range(40):
        found.close(number * STEP_MS, counts(a=(number, 50)))
    chart = found.chart("intent=a")
    assert (chart.start, chart.step_s) == ("1970-01-01T00:20:00.000Z", 300)
    assert chart.observed == list(range(4, 40))
    assert chart.expected == [None] * 36


def test_a_detector_s_verdict_has_a_score_and_the_window_s_expectation():
    found = series(spike_rule())
    found.close(0, counts(a=(3, 10)))
    assert found.learning == 1
    assert (found.verdict("intent=a").expected, found.verdict("intent=a").score) == (None, 0.0)
    found = learned(spike_rule(), 60)
    verdict, chart = found.verdict("intent=a"), found.chart("intent=a")
    assert found.learning == 0
    assert verdict.expected == pytest.approx(3 * np.mean(chart.expected[-3:]), abs=0.01)
    assert verdict.expected == pytest.approx(12, rel=0.3)
    assert not verdict.firing
    assert found.close(60 * STEP_MS, counts(a=(90, 100))) == ["intent=a"]
    verdict = found.verdict("intent=a")
    assert (verdict.firing, verdict.causes) == (True, ("spike",))
    assert verdict.score == round(verdict.score, 3) > 3.8


def test_baselines_are_out_of_date_after_more_than_a_fortnight_without_a_record():
    for days, forgotten in ((14 * DAY_MS, False), (14 * DAY_MS + STEP_MS, True)):
        found = series(static_rule(window_s=900))
        found.close(0, counts(a=(100_000, 100_000)))
        found.close(days, counts(b=(1, 1)))
        assert (len(found) == 1) is forgotten


def test_each_baseline_is_stored_once_in_an_interval_and_a_new_one_at_once():
    keys = [f"k{number}" for number in range(12)]
    found = learned(spike_rule(), 30, keys=keys[:11])
    last = 29 * STEP_MS
    assert len(found.take_due(0, last, 4 * STEP_MS)) == 11
    stored = []
    for number in range(30, 34):
        start_ms = number * STEP_MS
        found.close(start_ms, counts(**dict.fromkeys(keys[:11], (3, 10))))
        stored += found.take_due(start_ms, start_ms, 4 * STEP_MS)
    assert sorted(stored) == sorted(f"intent={key}" for key in keys[:11])
    found.close(34 * STEP_MS, counts(k11=(3, 10)))
    assert "intent=k11" in found.take_due(34 * STEP_MS, 34 * STEP_MS, 10_000 * STEP_MS)
    found.close(35 * STEP_MS, counts(k11=(3, 10)))
    assert len(found.take_due(35 * STEP_MS, 38 * STEP_MS, 4 * STEP_MS)) == 12, "a whole interval at once"
    assert len(found.take_due(35 * STEP_MS, 35 * STEP_MS, 0)) == 12, "an interval is at least a step"


def test_a_removed_key_s_baseline_is_stored_as_none_once():
    found = RuleSeries(spike_rule(), AlertRules([spike_rule()]), step_ms=STEP_MS, top_keys=1)
    found.close(0, counts(a=(1, 2)))
    found.take_due(0, 0, STEP_MS)
    found.close(STEP_MS, counts(b=(5, 50)))
    due = found.take_due(STEP_MS, STEP_MS, STEP_MS)
    assert (due["intent=a"].state, due["intent=a"].at_ms, due["intent=a"].series) == (
        None,
        STEP_MS,
        found.fingerprint,
    )
    assert due["intent=b"].state is not None
    assert "intent=a" not in found.take_due(STEP_MS, STEP_MS, STEP_MS)


def test_a_rule_without_a_detector_stores_nothing():
    found = series()
    found.close(0, counts(a=(1, 2)))
    assert found.take_due(0, 0, STEP_MS) == {}


def test_a_restored_series_says_what_the_one_before_says():
    """Baselines of two moments, the steps since then, and one baseline that cannot be read."""
    rule, keys = spike_rule(), ("a", "b")
    whole = learned(rule, 40, keys=keys)
    early = whole.take_due(0, 39 * STEP_MS, STEP_MS)
    steps = {}
    for number in range(40, 44):
        steps[number * STEP_MS] = counts(a=(number % 5, 10), b=(2, 4))
        whole.close(number * STEP_MS, steps[number * STEP_MS])
    late = whole.take_due(0, 43 * STEP_MS, STEP_MS)
    assert (early["intent=a"].at_ms, late["intent=a"].at_ms, late["intent=a"].primed) == (
        39 * STEP_MS,
        43 * STEP_MS,
        False,
    )
    for stored in (late, early):
        again = series(rule)
        again.restore(44 * STEP_MS, stored, steps)
        last = 44 * STEP_MS
        now = counts(a=(90, 100), b=(2, 4))
        fresh = learned(rule, 40, keys=keys)
        for start_ms, each in steps.items():
            fresh.close(start_ms, each)
        assert again.close(last, now) == fresh.close(last, now) == ["intent=a"]
        for key in ("intent=a", "intent=b"):
            assert again.verdict(key).score == fresh.verdict(key).score
    broken = early | {
        "intent=b": early["intent=b"].__class__(39 * STEP_MS, whole.fingerprint, 1.0, {"intent": "b"}, b"x")
    }
    again = series(rule)
    again.restore(44 * STEP_MS, broken, {})
    assert len(again) == 1
    assert series(rule).fingerprint != series(spike_rule(dimension=("brand",))).fingerprint
    other = series(spike_rule(dimension=("brand",)))
    other.restore(44 * STEP_MS, early, {})
    assert len(other) == 0, "another series' baselines are not used"


def test_new_thresholds_continue_the_series_and_another_kind_of_detector_does_not():
    old = learned(spike_rule(), 40)
    new = series(spike_rule(severity="error"))
    assert new.take_over(old)
    now = counts(a=(50, 60))
    assert new.close(40 * STEP_MS, now) == old.close(40 * STEP_MS, now)
    assert new.verdict("intent=a") == old.verdict("intent=a")
    assert new.window("intent=a", {}).negative == old.window("intent=a", {}).negative
    assert not series().take_over(old)
    assert not series(spike_rule()).take_over(series())
