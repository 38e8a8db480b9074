"""Counts per key over the last steps, and which keys have a row."""

import numpy as np
import pytest

from triage.alerting.evaluation.rolling import RollingCounts
from triage.alerting.evaluation.stored_baseline import StepCount
from triage.alerting.evaluation.top_keys import TopKeys
from triage.alerting.evaluation.verdict import RuleWindow

STEP_MS = 1_000
DAY_MS = 86_400_000


def rolling(steps=3, at_ms=0, keys=("a",)):
    found = RollingCounts(steps, STEP_MS)
    found.begin(at_ms)
    for key in keys:
        found.admit(key, {"intent": key})
    return found


def last(found, key, steps=3):
    columns = found.columns(steps)
    row = found.rows[key]
    return found.negative[row, columns].tolist(), found.total[row, columns].tolist(), found.late[row, columns].tolist()


def test_counts_add_up_per_step_and_the_oldest_step_is_overwritten():
    found = rolling()
    for number in range(5):
        found.begin(number * STEP_MS)
        found.add("a", number * STEP_MS, number, 10 * number)
        found.add("a", number * STEP_MS, 1, 1, late=1)
    assert last(found, "a") == ([3, 4, 5], [21, 31, 41], [1, 1, 1])
    assert last(found, "a", 1) == ([5], [41], [1])


def test_steps_left_out_are_empty():
    found = rolling()
    found.add("a", 0, 5, 5)
    found.begin(2 * STEP_MS)
    found.add("a", 2 * STEP_MS, 7, 7)
    assert last(found, "a")[0] == [5, 0, 7]
    found.begin(9 * STEP_MS)
    assert last(found, "a")[0] == [0, 0, 0]


@pytest.mark.parametrize(("start_ms", "counted"), [(2_000, 1), (4_000, 1), (1_000, 0), (5_000, 0)])
def test_counts_outside_of_the_last_steps_are_not_added(start_ms, counted):
    found = rolling(at_ms=4_000)
    found.add("a", start_ms, 1, 1)
    assert found.negative.sum() == counted


def test_an_unknown_key_is_not_added_and_a_dropped_one_leaves_nothing():
    found = rolling(keys=("a", "b"))
    found.add("c", 0, 1, 1)
    found.add("a", 0, 4, 4, late=4)
    found.volume[found.rows["a"]] = 9.0
    found.note_expected(np.array([found.rows["a"]]), np.array([2.5]))
    found.drop("a")
    assert (found.rows.keys(), found.dimensions) == ({"b"}, {"b": {"intent": "b"}})
    assert [array.sum() for array in (found.negative, found.total, found.late, found.volume)] == [0, 0, 0, 0]
    assert np.isnan(found.expected).all()


def test_rows_are_found_for_any_number_of_keys():
    found = rolling(keys=map(str, range(40)))
    for number in range(40):
        found.add(str(number), 0, number, 2 * number)
    assert sorted(found.rows.values()) == list(range(40))
    assert [last(found, str(number))[0][-1] for number in range(40)] == list(range(40))
    assert [found.keys[row] for row in range(40)] == list(map(str, range(40)))
    assert np.isnan(found.expected).all()
    found.drop("3")
    found.admit("new", {})
    assert last(found, "new")[0] == [0, 0, 0]
    assert len(set(found.rows.values())) == 40


def test_another_rule_s_steps_are_taken_over_as_far_as_both_have_them():
    old = rolling(steps=5, keys=("a", "b"))
    for number in range(5):
        old.begin(number * STEP_MS)
        old.add("a", number * STEP_MS, number, number, late=number)
    old.note_expected(np.array([old.rows["a"]]), np.array([2.5]))
    new = RollingCounts(3, STEP_MS)
    new.take_over(RollingCounts(5, STEP_MS))
    assert new.last_ms is None
    new.admit("c", {})
    new.admit("a", {})
    new.take_over(old)
    assert new.last_ms == 4 * STEP_MS
    assert last(new, "a") == ([2, 3, 4],) * 3
    assert last(new, "c")[0] == [0, 0, 0]
    assert new.expected[new.rows["a"], new.columns(1)].tolist() == [2.5]


def test_a_share_of_no_records_is_zero():
    assert RuleWindow("r", "k", {}, 0, 1, 1, 3, 4).share == 0.75
    assert RuleWindow("r", "k", {}, 0, 1, 1, 0, 0).share == 0.0


def top(limit, *, step_ms=DAY_MS):
    found = RollingCounts(3, step_ms)
    dropped = []
    return TopKeys(["intent"], found, step_ms=step_ms, top_keys=limit, on_drop=dropped.append), found, dropped


def counts(**totals):
    return {f"intent={key}": StepCount({"intent": key}, total // 2, total) for key, total in totals.items()}


def step(keys, number, **totals):
    keys.begin(number * DAY_MS)
    chosen = keys.choose(counts(**totals))
    keys.add(chosen)
    return {key: count.total for key, count in chosen.items()}


def test_volumes_halve_each_day_also_over_days_left_out():
    keys, found, _ = top(9)
    step(keys, 0, a=80)
    step(keys, 1, a=8)
    assert found.volume[found.rows["intent=a"]] == 48
    keys.begin(4 * DAY_MS)
    assert found.volume[found.rows["intent=a"]] == 6
    half, rows, _ = top(9, step_ms=DAY_MS // 2)
    half.begin(0)
    half.add(counts(a=80))
    half.begin(DAY_MS)
    assert rows.volume[0] == pytest.approx(40)


def test_a_key_is_forgotten_when_a_ten_thousandth_of_a_record_is_left():
    keys, found, dropped = top(9)
    step(keys, 0, a=1, b=2)
    keys.begin(14 * DAY_MS)  # 2^-14 and 2^-13
    keys.drop_idle()
    assert (dropped, list(found.rows)) == (["intent=a"], ["intent=b"])
    found.volume[found.rows["intent=b"]] = 1e-4
    keys.drop_idle()
    assert list(found.rows) == ["intent=b"]


def test_only_more_records_than_the_least_key_has_replace_it():
    keys, _, dropped = top(2)
    assert step(keys, 0, a=10, b=30) == {"intent=a": 10, "intent=b": 30}
    assert step(keys, 1, c=5, d=4) == {"intent=__other__": 9}, "a has 5 left: c has no more than that"
    assert keys.untracked == 2
    assert step(keys, 2, a=1, c=6, b=1) == {"intent=b": 1, "intent=c": 6, "intent=__other__": 1}
    assert (dropped, keys.untracked) == (["intent=a"], 1)


def test_the_key_of_the_others_takes_no_room_and_sums_their_negatives():
    keys, found, _ = top(1)
    step(keys, 0, a=10)
    keys.begin(DAY_MS)
    given = counts(b=2, c=3) | {"intent=__other__": StepCount({"intent": "__other__"}, 7, 8)}
    chosen = keys.choose(given)
    assert chosen == {"intent=__other__": StepCount({"intent": "__other__"}, 9, 13)}
    keys.add(chosen)
    assert len(found.rows) == 2
    assert step(keys, 2, a=1) == {"intent=a": 1}
    assert keys.untracked == 0
