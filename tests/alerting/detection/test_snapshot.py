"""A restored key continues with the same bits, whatever other keys there are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.detection import SpikeDetector, SpikeSettings

START_MS = 1_767_225_600_000


def said(verdicts, key):
    column = verdicts.index[key]
    arrays = (verdicts.expected, verdicts.learning, verdicts.z_count, verdicts.z_ratio)
    return tuple(array[column].tobytes() for array in arrays)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cut=st.integers(1, 149),
    others=st.integers(0, 9),
    step_s=st.sampled_from([300, 3600, 86_400, 604_800]),
    totals=st.booleans(),
)
def test_restored_and_replayed_it_says_the_same(seed, cut, others, step_s, totals):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.5, 8, (150, others + 1))).astype(float)
    total = counts + rng.poisson(10, counts.shape) if totals else None
    keys = [f"k{n}" for n in range(others + 1)]
    whole = SpikeDetector(SpikeSettings(), step_s)
    alone = SpikeDetector(SpikeSettings(), step_s)
    for t in range(150):
        start_ms = START_MS + t * step_s * 1000
        verdicts = whole.step(start_ms, keys, counts[t], None if total is None else total[t])
        if t >= cut:
            mine = alone.step(start_ms, keys[:1], counts[t, :1], None if total is None else total[t, :1])
            assert said(mine, "k0") == said(verdicts, "k0")
        elif t == cut - 1:
            alone.restore("k0", whole.snapshot("k0"))
    assert alone.snapshot("k0") == whole.snapshot("k0")
    assert len(whole.snapshot("k0")) < 5_000


def test_all_keys_restored_have_the_same_threshold_and_fire_alike():
    rng = np.random.default_rng(3)
    counts = rng.poisson(rng.gamma(0.5, 8, (400, 12))).astype(float)
    keys = [f"k{n}" for n in range(12)]
    whole, again = SpikeDetector(SpikeSettings(), 3600), SpikeDetector(SpikeSettings(), 3600)
    for t in range(400):
        verdicts = whole.step(START_MS + t * 3_600_000, keys, counts[t], None)
        if t >= 300:
            mine = again.step(START_MS + t * 3_600_000, keys, counts[t], None)
            assert mine.threshold == verdicts.threshold
            assert all(mine.firing[mine.index[key]] == verdicts.firing[verdicts.index[key]] for key in keys)
        elif t == 299:
            for key in keys:
                again.restore(key, whole.snapshot(key))


@pytest.mark.parametrize(("version", "fewer"), [(1, 5), (2, 2)])
def test_a_state_of_an_earlier_detector_is_continued(version, fewer):
    """Version 2 lacks the rows of echoes at the end; version 1 also those of the budget, and weekdays in the tables."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(20, 200).astype(float)
    detector, upgraded = SpikeDetector(SpikeSettings(), 3600), SpikeDetector(SpikeSettings(), 3600)
    for t in range(199):
        detector.step(START_MS + t * 3_600_000, ["k"], counts[t : t + 1], None)
    state = detector.snapshot("k")
    head = np.frombuffer(state[:32], "<i8").copy()
    rows = int(head[1])
    values, tables = state[32 : 32 + 8 * rows], np.frombuffer(state[32 + 8 * rows :], "<f4")
    if version == 1:
        tables = np.delete(tables, slice(48, 62))
    head[:3] = version, rows - fewer, len(tables)
    upgraded.restore("k", head.tobytes() + values[: -8 * fewer] + tables.tobytes())
    before, after = (one.step(START_MS + 199 * 3_600_000, ["k"], counts[199:], None) for one in (detector, upgraded))
    assert after.expected[0] == pytest.approx(before.expected[0], rel=0.1)
    assert not after.learning[0]


def test_forgetting_a_key_leaves_the_others_as_they_were():
    rng = np.random.default_rng(1)
    counts = rng.poisson(5, (60, 4)).astype(float)
    keys = ["a", "b", "c", "d"]
    full, less = SpikeDetector(SpikeSettings(), 3600), SpikeDetector(SpikeSettings(), 3600)
    for t in range(60):
        start_ms = START_MS + t * 3_600_000
        full.step(start_ms, keys, counts[t], None)
        kept = keys if t < 30 else ["a", "c", "d"]
        less.step(start_ms, kept, counts[t, [keys.index(key) for key in kept]], None)
        if t == 29:
            less.forget("b")
            less.forget("unknown")
    assert sorted(less.keys) == ["a", "c", "d"]
    assert all(full.snapshot(key) == less.snapshot(key) for key in ("a", "c", "d"))


def test_a_foreign_or_stale_snapshot_is_refused():
    hourly, five = SpikeDetector(SpikeSettings(), 3600), SpikeDetector(SpikeSettings(), 300)
    with pytest.raises(KeyError):
        hourly.snapshot("k")
    hourly.step(START_MS, ["k"], np.array([1.0]), None)
    state = hourly.snapshot("k")
    with pytest.raises(ValueError, match="another version"):
        five.restore("k", state)
    with pytest.raises(ValueError, match="another version"):
        hourly.restore("x", b"")
    assert list(five.keys) == []
    hourly.step(START_MS + 3_600_000, ["k"], np.array([1.0]), None)
    with pytest.raises(ValueError, match="is of step"):
        hourly.restore("late", state)
    assert list(hourly.keys) == ["k"]
