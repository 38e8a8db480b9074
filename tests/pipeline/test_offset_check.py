"""Committed offsets are doubted while the group's own output knows better, and not for longer than said."""

import pytest
import structlog

from triage.clock import ManualClock
from triage.errors import AccessDenied, Unavailable
from triage.pipeline.offset_check import OffsetCheck

A, B = ("t", 0), ("t", 1)


class Broker:
    def __init__(self, counted, committed):
        self.counted, self.committed, self.asked = counted, committed, 0

    def evidence(self):
        if isinstance(self.counted, Exception):
            raise self.counted
        return self.counted

    def ask(self, partitions):
        self.asked += 1
        if isinstance(self.committed, Exception):
            raise self.committed
        return {each: self.committed.get(each) for each in partitions}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def logs():
    with structlog.testing.capture_logs() as captured:
        yield captured


def check_of(broker, clock, patience_s=60.0):
    check = OffsetCheck(broker.evidence, broker.ask, clock, patience_s)
    check.begin()
    return check


def passes_after(check, clock, most_s=200.0):
    """Seconds until it passes, asked every tenth of one."""
    for tenths in range(int(most_s * 10)):
        if check.passes():
            return tenths / 10
        clock.advance(0.1)
    raise AssertionError("never passed")


def test_a_new_group_without_output_reads_at_once_and_asks_nothing(clock):
    broker = Broker({}, {})
    assert check_of(broker, clock).passes()
    assert broker.asked == 0


def test_committed_offsets_at_or_past_the_output_pass_at_once(clock):
    assert check_of(Broker({A: 10, B: 5}, {A: 10, B: 7}), clock).passes()


@pytest.mark.parametrize("stale", [{}, {A: 3, B: 5}, {A: 10, B: None}])
def test_waits_while_any_partition_is_behind_and_asks_twice_a_second(clock, stale):
    broker = Broker({A: 10, B: 5}, stale)
    check = check_of(broker, clock)
    for _ in range(50):
        assert not check.passes()
        clock.advance(0.1)
    assert broker.asked == pytest.approx(10, abs=1)
    broker.committed = {A: 10, B: 5}
    assert passes_after(check, clock) <= 0.5


def test_offsets_that_stay_behind_are_taken_after_the_patience_and_not_doubted_again(clock):
    broker = Broker({A: 10}, {A: 3})
    check = check_of(broker, clock, patience_s=30.0)
    assert passes_after(check, clock) == pytest.approx(30, abs=0.6)
    check.begin()
    assert check.passes()
    broker.counted = {A: 12}
    check.begin()
    assert not check.passes()


def test_what_this_process_committed_counts_too(clock):
    broker = Broker({}, {})
    check = check_of(broker, clock)
    assert check.passes()
    check.committed({A: 8})
    check.begin()
    assert not check.passes()
    broker.committed = {A: 8}
    assert passes_after(check, clock) <= 0.5


def test_own_commits_that_were_reset_on_purpose_are_doubted_once(clock):
    broker = Broker({}, {A: 2})
    check = OffsetCheck(broker.evidence, broker.ask, clock, 30.0)
    check.committed({A: 8})
    check.begin()
    assert passes_after(check, clock) == pytest.approx(30, abs=0.6)
    check.committed({A: 4})
    broker.committed = {A: 4}
    check.begin()
    assert check.passes()


def test_without_patience_everything_is_taken_unasked(clock):
    broker = Broker({A: 10}, {A: 3})
    assert check_of(broker, clock, patience_s=0).passes()
    assert broker.asked == 0


def test_output_that_may_not_be_read_leaves_the_own_commits(clock, logs):
    broker = Broker(AccessDenied("kafka", "no READ"), {A: 3})
    check = check_of(broker, clock)
    assert check.passes()
    assert [entry["event"] for entry in logs] == ["output_unreadable"]
    check.committed({A: 4})
    check.begin()
    assert not check.passes()


def test_a_broker_that_does_not_answer_is_asked_again(clock):
    broker = Broker({A: 4}, Unavailable("kafka", "away"))
    check = check_of(broker, clock)
    with pytest.raises(Unavailable):
        check.passes()
    clock.advance(1)
    broker.committed = {A: 4}
    assert check.passes()


def test_the_log_says_what_is_waited_for_and_how_it_ended(clock, logs):
    broker = Broker({A: 10}, {})
    check = check_of(broker, clock)
    check.passes()
    clock.advance(3)
    broker.committed = {A: 10}
    assert check.passes()
    first, last = logs
    assert (first["event"], first["committed"], first["put_out"]) == (
        "committed_offsets_behind_output",
        {"t/0": None},
        {"t/0": 10},
    )
    assert (last["event"], last["after_s"]) == ("committed_offsets_caught_up", 3.0)
