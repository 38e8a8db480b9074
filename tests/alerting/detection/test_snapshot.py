"""A restored key continues with the same bits, whatever other keys there are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.detection import SpikeDetector, SpikeSettings

START_MS = 1_767_225_600_000


def said(verdicts, key):
    column = verdicts.index[key]
    arrays = (verdicts.firing, verdicts.expected, verdicts.score, verdicts.learning, verdicts.z_count, verdicts.z_ratio)
    return (*(array[column].tobytes() for array in arrays), verdicts.windows[:, column].tobytes())


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
