"""A record that its source sends again with every change counts once per window and key."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worker_rig import NOW, Rig

from triage.errors import Unavailable
from triage.pipeline.window_counts.counting import CountedRecord, count_windows
from triage.pipeline.window_counts.updates import CountedUpdates
from triage.types import Position

STEP_MS = 60_000
VERSION = st.tuples(
    st.sampled_from(["a", "b", "c", None]), st.integers(0, 2), st.sampled_from(["delivery", "billing"]), st.booleans()
)


def _records(versions):
    return [
        CountedRecord(
            Position("feedback.complaints", 0, offset), minute * STEP_MS, {"intent": intent}, negative, identity
        )
        for offset, (identity, minute, intent, negative) in enumerate(versions)
    ]


def _add(sums, counts):
    for count in counts:
        negative, total = sums.get((count.window_start_ms, count.key), (0, 0))
        sums[count.window_start_ms, count.key] = (negative + count.negative, total + count.total)


@given(st.lists(VERSION, max_size=30), st.lists(st.integers(0, 30), max_size=5), st.booleans())
def test_sums_are_those_of_distinct_records_however_they_are_batched(versions, cuts, fails):
    """Each batch may fail once before it is committed."""
    records, updates, sums = _records(versions), CountedUpdates(), {}
    edges = sorted({0, len(records), *(min(cut, len(records)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        if fails:
            updates.begin()
            count_windows(records[start:end], STEP_MS, [[], ["intent"]], updates=updates)
        updates.begin()
        _add(sums, count_windows(records[start:end], STEP_MS, [[], ["intent"]], updates=updates))
        updates.commit()
    expected = {}
    for offset, (identity, minute, intent, negative) in enumerate(versions):
        for key in ("", f"intent={intent}"):
            of_key = expected.setdefault((minute * STEP_MS, key), {})
            name = offset if identity is None else identity
            of_key[name] = of_key.get(name, False) or negative
    assert sums == {at: (sum(found.values()), len(found)) for at, found in expected.items()}


def test_memory_is_bounded_and_the_oldest_leave_first():
    updates = CountedUpdates(limit=2)
    for name in "abc":
        assert updates.count(name, 0, negative=False) == (0, 1)
        updates.commit()
    assert [updates.count(name, 0, negative=False).total for name in "abc"] == [1, 0, 0]


@pytest.mark.parametrize(("sources", "expected"), [("desk", 2), ("other", 7)])
@pytest.mark.parametrize("batch", [1, 3, 512])
def test_only_sources_that_are_named_count_by_id(sources, expected, batch):
    rig = Rig(**{"worker.sources_with_updates": [sources], "worker.max_batch_records": batch})
    rows = [
        {"id": name, "source": "desk", "text": f"It changed v{v}", "created_at": NOW} for v in range(3) for name in "ab"
    ]
    rig.send(*(json.dumps(row).encode() for row in [*rows, rows[0]]))
    rig.run()
    assert sum(count.total for count in rig.counts() if count.key == "") == expected
    assert len(rig.produced("enriched")) == 7


def test_records_without_id_all_count():
    rig = Rig(**{"worker.sources_with_updates": ["desk"]})
    rig.send(*[json.dumps({"source": "desk", "text": "It changed", "created_at": NOW}).encode()] * 3)
    rig.run()
    assert sum(count.total for count in rig.counts() if count.key == "") == 3


def test_a_failed_transaction_is_counted_when_it_is_repeated():
    rig = Rig(**{"worker.sources_with_updates": ["desk"]})
    commit, failures = rig.source.commit, [Unavailable("kafka", "aborted")]

    def flaky(*arguments):
        if failures:
            raise failures.pop()
        commit(*arguments)

    rig.source.commit = flaky
    rig.send(json.dumps({"id": "a", "source": "desk", "text": "It changed", "created_at": NOW}).encode())
    rig.run()
    assert not failures
    assert sum(count.total for count in rig.counts() if count.key == "") == 1
