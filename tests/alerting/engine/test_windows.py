"""Windows: merged idempotently, closed by the minimum watermark, whatever the order in which messages come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.alerting.engine.windows import MergeOutcome, PartitionWindows, Progress, WindowSum
from triage.schemas.counts import Watermark, WindowCount

STEP_MS = 1_000
TOPIC = "feedback.complaints"
NOW_MS = 10**9


def windows(**changes):
    options = {
        "step_ms": STEP_MS,
        "lateness_ms": 0,
        "retain_ms": 3 * STEP_MS,
        "max_hold_s": 60.0,
        "expected": [],
        "started_s": 0.0,
        "max_keys": 100,
    }
    return PartitionWindows(**(options | changes))


def count(step, first, last, *, negative=1, total=2, partition=0, intent="delivery", window_ms=STEP_MS):
    return WindowCount(
        window_start_ms=step * STEP_MS,
        window_ms=window_ms,
        key=f"intent={intent}",
        dimensions={"intent": intent},
        negative=negative,
        total=total,
        topic=TOPIC,
        partition=partition,
        first_offset=first,
        last_offset=last,
    )


def merge(state, count):
    """Merge a count that is a message of its own."""
    return state.merge(count, count)


def mark(watermark_ms, *, partition=0, offset=0):
    return Watermark(topic=TOPIC, partition=partition, watermark_ms=watermark_ms, offset=offset, lag=0, at_ms=0)


def close_all(state, now_ms=NOW_MS, now_s=0.0, *, busy=False):
    closed = {}
    watermark_ms = state.watermark(now_ms, now_s)
    while watermark_ms is not None and (start := state.next_to_close(watermark_ms, busy=busy)) is not None:
        closed[start] = {key: (s.negative, s.total) for key, s in state.sums.get(start, {}).items()}
        state.close(start)
    return closed


def test_a_count_that_comes_again_is_dropped():
    state = windows()
    assert merge(state, count(0, 0, 9)) is MergeOutcome.MERGED
    assert merge(state, count(0, 0, 9)) is MergeOutcome.SEEN
    assert merge(state, count(0, 10, 19)) is MergeOutcome.MERGED
    assert merge(state, count(0, 0, 9)) is MergeOutcome.SEEN
    assert merge(state, count(0, 0, 9, partition=1)) is MergeOutcome.MERGED
    state.observe(mark(1_000), 0)
    assert close_all(state) == {0: {"intent=delivery": (3, 6)}}


def test_the_slowest_partition_holds_the_windows_open():
    state = windows(expected=[(TOPIC, 0), (TOPIC, 1)])
    merge(state, count(0, 0, 9))
    state.observe(mark(5_000), 0)
    assert close_all(state) == {}, "partition 1 has not been heard of"
    state.observe(mark(500, partition=1), 1)
    assert close_all(state, now_s=1) == {}
    state.observe(mark(1_000, partition=1), 2)
    assert list(close_all(state, now_s=2)) == [0]


def test_a_silent_partition_is_left_out_after_max_hold_and_comes_back():
    state = windows(expected=[(TOPIC, 0), (TOPIC, 1)], max_hold_s=60)
    merge(state, count(0, 0, 9))
    for second in range(0, 62, 2):
        state.observe(mark(5_000 + second), second)
        closed = close_all(state, now_s=second)
        assert not closed
    state.observe(mark(5_100), 61)
    assert 0 in close_all(state, now_s=61)
    assert state.left_out == {f"{TOPIC}/1"}
    state.observe(mark(9_000, partition=1), 62)
    state.watermark(NOW_MS, 62)
    assert state.left_out == frozenset()


def test_repeating_a_watermark_is_no_progress():
    state = windows(max_hold_s=60)
    state.observe(mark(1_000), 0)
    state.observe(mark(1_000), 59)
    state.observe(mark(900), 60)
    assert state.watermark(NOW_MS, 61) is None
    assert state.left_out == {f"{TOPIC}/0"}


def test_the_watermark_waits_for_the_clock_and_never_goes_back():
    state = windows()
    state.observe(mark(10_000), 0)
    assert state.watermark(4_000, 0) == 4_000
    assert state.watermark(3_000, 0) == 4_000
    state.observe(mark(100, partition=1), 0)
    assert state.watermark(20_000, 0) == 4_000


def test_allowed_lateness_keeps_windows_open():
    state = windows(lateness_ms=500)
    merge(state, count(0, 0, 9))
    state.observe(mark(1_499), 0)
    assert close_all(state) == {}
    state.observe(mark(1_500), 0)
    assert list(close_all(state)) == [0]


def test_late_counts_correct_what_is_still_summed_and_are_dropped_after():
    state = windows(retain_ms=3 * STEP_MS)
    merge(state, count(0, 0, 9))
    merge(state, count(2, 10, 19))
    state.observe(mark(3_000), 0)
    assert list(close_all(state)) == [0, 1_000, 2_000]
    assert merge(state, count(1, 20, 29)) is MergeOutcome.CORRECTED
    corrected = state.sums[1_000]["intent=delivery"]
    assert (corrected.negative, corrected.late_negative, corrected.late_total) == (1, 1, 2)
    assert merge(state, count(1, 20, 29)) is MergeOutcome.SEEN
    state.observe(mark(4_000), 0)
    close_all(state)
    assert merge(state, count(0, 30, 39)) is MergeOutcome.LATE, "nothing needs it any more"


def test_gaps_are_zeros_and_stretches_without_data_are_skipped():
    state = windows()
    merge(state, count(0, 0, 9))
    merge(state, count(5_000_000, 10, 19))
    state.observe(mark(5_000_001 * STEP_MS), 0)
    closed = close_all(state, now_ms=10**12)
    assert list(closed) == [0, 1_000, 2_000, 3_000, 5_000_000_000]
    assert closed[1_000] == {}


def test_nothing_is_skipped_while_an_episode_is_open():
    state = windows()
    merge(state, count(0, 0, 9))
    state.observe(mark(8_000), 0)
    assert len(close_all(state, busy=True)) == 8


def test_counts_of_another_step_and_too_many_keys_are_refused():
    state = windows(max_keys=2)
    assert merge(state, count(0, 0, 9, window_ms=500)) is MergeOutcome.OTHER_STEP
    outcomes = [merge(state, count(0, 0, 9, intent=name)) for name in "abc"]
    assert outcomes == ["merged", "merged", "others"]
    assert [merge(state, count(0, 0, 9, intent=name)) for name in "cd"] == ["seen", "others"]
    assert [merge(state, count(0, 10, 19, intent=name)) for name in "cdc"] == ["others", "others", "seen"]
    others = state.sums[0]["intent=__other__"]
    assert (others.negative, others.total, others.dimensions) == (4, 8, {"intent": "__other__"})


def test_restored_windows_continue_where_they_stopped():
    state = windows()
    found = {0: {"intent=delivery": WindowSum({"intent": "delivery"}, 1, 2, {f"{TOPIC}/0": 9})}}
    state.restore(Progress(closed_ms=1_000), found, now_s=100.0)
    assert merge(state, count(0, 0, 9)) is MergeOutcome.SEEN
    state.observe(mark(2_000), 100)
    assert list(close_all(state, now_s=100)) == [1_000]
    assert state.next_to_close(2_000, busy=True) is None


@st.composite
def schedules(draw):
    """Per raw partition: batches in order, each followed by a watermark that no later record undercuts."""
    partitions = []
    for partition in range(draw(st.integers(1, 3))):
        watermark_ms, offset, log = 0, 0, []
        for _ in range(draw(st.integers(1, 6))):
            for _ in range(draw(st.integers(0, 3))):
                earliest = watermark_ms // STEP_MS
                step = draw(st.integers(earliest, earliest + 3))
                negative = draw(st.integers(0, 4))
                intent = draw(st.sampled_from("ab"))
                log.append(
                    count(step, offset, offset + 9, negative=negative, total=4, partition=partition, intent=intent)
                )
                offset += 10
            watermark_ms += draw(st.integers(0, 2 * STEP_MS))
            log.append(mark(watermark_ms, partition=partition, offset=offset))
        log.append(mark(20 * STEP_MS, partition=partition, offset=offset + 1))
        partitions.append(log)
    return partitions


def interleave(partitions, choose):
    """One order of all messages that keeps the order within each partition."""
    left = [list(log) for log in partitions if log]
    while left:
        log = choose(left)
        yield log.pop(0)
        left = [log for log in left if log]


def run(messages, expected):
    state = windows(expected=expected)
    closed = {}
    for message in messages:
        if isinstance(message, Watermark):
            state.observe(message, 0)
        else:
            merge(state, message)
        for start, sums in close_all(state, busy=True).items():
            assert start not in closed, "a window closes once"
            closed[start] = sums
    return closed


@given(schedules(), st.data())
def test_any_interleaving_and_redelivery_closes_the_same_windows(partitions, data):
    expected = [(TOPIC, number) for number in range(len(partitions))]
    in_order = run(interleave(partitions, lambda left: left[0]), expected)
    shuffled = list(interleave(partitions, lambda left: data.draw(st.sampled_from(left))))
    # Kafka delivers again from an earlier offset: a stretch, in its order.
    delivered = []
    for index, message in enumerate(shuffled):
        delivered.append(message)
        if data.draw(st.booleans()):
            back = data.draw(st.integers(0, index))
            delivered += shuffled[back : index + 1]
    again = run(delivered, expected)
    assert {s: sums for s, sums in again.items() if sums} == {s: sums for s, sums in in_order.items() if sums}
    total = sum(m.total for log in partitions for m in log if isinstance(m, WindowCount))
    assert sum(t for sums in again.values() for _, t in sums.values()) == total, "nothing lost, nothing twice"


@pytest.mark.parametrize("partitions", [1, 3])
def test_windows_stay_shut_until_something_is_known(partitions):
    state = windows(expected=[(TOPIC, number) for number in range(partitions)])
    assert state.watermark(NOW_MS, 0) is None


# Boundaries


def test_a_step_is_late_from_its_close_on_and_gone_after_it_is_retained():
    found = windows(retain_ms=2 * STEP_MS)
    found.progress = Progress(closed_ms=5 * STEP_MS)
    assert merge(found, count(5, 1, 1)) is MergeOutcome.MERGED
    assert merge(found, count(4, 1, 1)) is MergeOutcome.CORRECTED
    assert merge(found, count(3, 1, 1)) is MergeOutcome.CORRECTED
    assert merge(found, count(2, 1, 1)) is MergeOutcome.LATE
    late = found.sums[4 * STEP_MS]["intent=delivery"]
    assert (late.negative, late.total, late.late_negative, late.late_total) == (1, 2, 1, 2)
    assert found.last_merged[:2] == (3 * STEP_MS, "intent=delivery")
    new = found.sums[5 * STEP_MS]["intent=delivery"]
    assert (new.late_negative, new.late_total) == (0, 0)


def test_a_step_holds_as_many_keys_as_allowed_before_it_counts_together():
    found = windows(max_keys=2)
    outcomes = [merge(found, count(0, 1, 1, intent=name)) for name in ("a", "b", "c", "d", "a")]
    assert outcomes == [
        MergeOutcome.MERGED,
        MergeOutcome.MERGED,
        MergeOutcome.OTHERS,
        MergeOutcome.OTHERS,
        MergeOutcome.SEEN,
    ]
    others = found.sums[0]["intent=__other__"]
    assert (others.negative, others.total, others.dimensions) == (2, 4, {"intent": "__other__"})
    assert merge(found, count(0, 1, 1, intent="c")) is MergeOutcome.SEEN
    assert merge(found, count(0, 2, 3, intent="c")) is MergeOutcome.OTHERS
    assert merge(found, count(0, 1, 1, intent="d")) is MergeOutcome.SEEN
    assert merge(found, count(0, 2, 3, intent="d")) is MergeOutcome.OTHERS
    assert others.total == 8


def test_offsets_are_compared_per_raw_partition():
    found = windows()
    assert merge(found, count(0, 0, 0)) is MergeOutcome.MERGED
    assert merge(found, count(0, 0, 0, partition=1)) is MergeOutcome.MERGED
    assert [merge(found, count(0, 0, last)) for last in (0, 1, 0)] == [
        MergeOutcome.SEEN,
        MergeOutcome.MERGED,
        MergeOutcome.SEEN,
    ]
    assert found.sums[0]["intent=delivery"].offsets == {f"{TOPIC}/0": 1, f"{TOPIC}/1": 0}


def test_a_partition_is_left_out_after_more_than_the_hold():
    found = windows(expected=[(TOPIC, 0), (TOPIC, 1)])
    found.observe(mark(7_000), 50.0)
    assert found.watermark(NOW_MS, 60.0) is None
    assert found.watermark(NOW_MS, 60.5) == 7_000
    assert found.left_out == {f"{TOPIC}/1"}


def test_progress_is_a_later_watermark_or_a_higher_offset():
    found = windows()
    found.observe(mark(7_000, offset=5), 0.0)
    found.observe(mark(7_000, offset=6), 50.0)
    assert found.watermark(NOW_MS, 110.0) == 7_000
    found.observe(mark(6_000, offset=7), 110.0)
    assert found.progress.marks[f"{TOPIC}/0"].watermark_ms == 7_000
    assert found.progress.marks[f"{TOPIC}/0"].offset == 7
    found.observe(mark(7_000, offset=7), 160.0)
    found.watermark(NOW_MS, 171.0)
    assert found.left_out == {f"{TOPIC}/0"}


@pytest.mark.parametrize(("watermark_ms", "start_ms"), [(3_499, None), (3_500, 2_000), (4_499, 2_000)])
def test_a_step_closes_when_the_watermark_is_past_it_by_the_lateness(watermark_ms, start_ms):
    found = windows(lateness_ms=500)
    found.progress = Progress(closed_ms=2_000)
    assert found.next_to_close(watermark_ms, busy=True) == start_ms
    assert found.lateness_ms == 500


def test_the_first_step_to_close_is_the_first_with_data():
    found = windows()
    assert found.next_to_close(9_999, busy=False) is None
    assert found.progress.closed_ms == 9_000, "without data everything before is closed"
    found = windows()
    merge(found, count(4, 1, 1))
    assert found.next_to_close(9_999, busy=False) == 4_000
    found = windows()
    merge(found, count(20, 1, 1))
    assert found.next_to_close(9_999, busy=False) is None
    assert found.progress.closed_ms == 9_000


def test_stretches_without_data_are_skipped_up_to_the_next_data():
    found = windows()
    found.progress = Progress(closed_ms=2_000)
    merge(found, count(7, 1, 1))
    assert found.next_to_close(9_000, busy=True) == 2_000
    assert found.next_to_close(9_000, busy=False) == 7_000
    found.progress = Progress(closed_ms=7_000)
    assert found.next_to_close(9_000, busy=False) == 7_000


def test_closed_steps_are_kept_for_as_long_as_they_are_retained():
    found = windows(retain_ms=2 * STEP_MS)
    for number in range(4):
        merge(found, count(number, 1, 1))
    assert found.close(2_000) == [(0, "intent=delivery")]
    assert (sorted(found.sums), found.progress.closed_ms) == ([1_000, 2_000, 3_000], 3_000)
    assert windows(retain_ms=1).retain_ms == STEP_MS
