"""Committed offsets are not used while the group's own output has higher ones, for a limited time."""

import pytest
import structlog

from triage.clock import ManualClock
from triage.errors import AccessDenied, Unavailable
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier, OffsetQueries, ProcessedOffset

A, B = ("t", 0), ("t", 1)


class Broker:
    """`counted` are offsets by partition."""

    def __init__(self, counted, committed, recreated=()):
        self.counted, self.answer, self.recreated, self.asked = counted, committed, set(recreated), 0

    def processed(self):
        if isinstance(self.counted, Exception):
            raise self.counted
        return {each: ProcessedOffset(offset, 1_000) for each, offset in self.counted.items()}

    def committed(self, partitions):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return {each: self.answer.get(each) for each in partitions}

    def confirm(self, processed):
        return set(processed) - self.recreated


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def logs():
    with structlog.testing.capture_logs() as captured:
        yield captured


def verifier_of(broker, clock, patience_s=30.0):
    verifier = CommittedOffsetVerifier(
        OffsetQueries(broker.processed, broker.committed, broker.confirm), clock, ManualClock(5_000), patience_s
    )
    verifier.begin()
    return verifier


def answer_after(verifier, clock, most_s=200.0):
    """The answer and the seconds until it was given, asked every tenth of one."""
    for tenths in range(int(most_s * 10)):
        if (offsets := verifier.resume_offsets()) is not None:
            return offsets, tenths / 10
        clock.advance(0.1)
    raise AssertionError("never answered")


def test_a_new_group_without_output_reads_at_once_and_asks_nothing(clock):
    broker = Broker({}, {})
    assert verifier_of(broker, clock).resume_offsets() == {}
    assert broker.asked == 0


def test_committed_offsets_at_or_after_those_of_the_output_are_used_at_once(clock):
    assert verifier_of(Broker({A: 10, B: 5}, {A: 10, B: 7}), clock).resume_offsets() == {}


@pytest.mark.parametrize("stale", [{}, {A: 3, B: 5}, {A: 10, B: None}])
def test_waits_while_any_partition_is_lower_and_asks_twice_a_second(clock, stale):
    broker = Broker({A: 10, B: 5}, stale)
    verifier = verifier_of(broker, clock)
    for _ in range(50):
        assert verifier.resume_offsets() is None
        clock.advance(0.1)
    assert broker.asked == pytest.approx(10, abs=1)
    broker.answer = {A: 10, B: 5}
    offsets, after_s = answer_after(verifier, clock)
    assert (offsets, after_s <= 0.5) == ({}, True)


def test_offsets_that_stay_lower_are_replaced_by_the_output_after_the_patience(clock):
    verifier = verifier_of(Broker({A: 10, B: 5}, {A: 3, B: 7}), clock, patience_s=30.0)
    assert answer_after(verifier, clock) == ({A: 10, B: 5}, pytest.approx(30, abs=0.6))


def test_joining_again_while_they_stay_lower_does_not_wait_again(clock):
    broker = Broker({A: 10}, {A: 3})
    verifier = verifier_of(broker, clock)
    answer_after(verifier, clock)
    verifier.begin()
    assert verifier.resume_offsets() == {A: 10}
    broker.answer = {A: 10}
    verifier.begin()
    assert verifier.resume_offsets() == {}
    broker.answer = {A: 3}
    verifier.begin()
    assert verifier.resume_offsets() is None


def test_a_topic_that_was_created_again_is_read_from_its_committed_offsets(clock):
    broker = Broker({A: 10, B: 5}, {B: 5}, recreated={A})
    verifier = verifier_of(broker, clock)
    assert answer_after(verifier, clock)[0] == {B: 5}
    verifier.begin()
    assert verifier.resume_offsets() == {}


def test_what_this_process_committed_counts_too(clock):
    broker = Broker({A: 2}, {A: 2})
    verifier = verifier_of(broker, clock)
    assert verifier.resume_offsets() == {}
    verifier.record_commit({A: 8})
    verifier.begin()
    assert verifier.resume_offsets() is None
    broker.answer = {A: 8}
    assert answer_after(verifier, clock)[0] == {}


def test_without_patience_everything_is_taken_unasked(clock):
    broker = Broker({A: 10}, {A: 3})
    assert verifier_of(broker, clock, patience_s=0).resume_offsets() == {}
    assert broker.asked == 0


def test_output_that_may_not_be_read_leaves_the_own_commits(clock, logs):
    broker = Broker(AccessDenied("kafka", "no READ"), {A: 3})
    verifier = verifier_of(broker, clock)
    assert verifier.resume_offsets() == {}
    assert [entry["event"] for entry in logs] == ["output_unreadable"]
    verifier.record_commit({A: 4})
    verifier.begin()
    assert answer_after(verifier, clock)[0] == {A: 4}


def test_a_broker_that_does_not_answer_is_asked_again(clock):
    broker = Broker({A: 4}, Unavailable("kafka", "away"))
    verifier = verifier_of(broker, clock)
    with pytest.raises(Unavailable):
        verifier.resume_offsets()
    clock.advance(1)
    broker.answer = {A: 4}
    assert verifier.resume_offsets() == {}


def test_a_transaction_that_never_ends_is_passed_after_the_patience(clock):
    verifier = verifier_of(Broker({A: 10}, {A: 12, B: 3}), clock)
    assert verifier.resume_offsets() == {}
    assert verifier.resume_offsets_in_open_transaction([A, B]) == {}
    clock.advance(31)
    assert verifier.resume_offsets_in_open_transaction([A, B]) == {A: 12, B: 3}


def test_without_patience_an_open_transaction_is_waited_for(clock):
    verifier = verifier_of(Broker({A: 10}, {A: 3}), clock, patience_s=0)
    assert verifier.resume_offsets() == {}
    clock.advance(31)
    assert verifier.resume_offsets_in_open_transaction([A]) == {}


def test_the_log_says_what_is_waited_for_and_how_it_ended(clock, logs):
    broker = Broker({A: 10}, {})
    verifier = verifier_of(broker, clock)
    verifier.resume_offsets()
    clock.advance(3)
    broker.answer = {A: 10}
    assert verifier.resume_offsets() == {}
    first, last = logs
    assert (first["event"], first["committed"], first["put_out"]) == (
        "committed_offsets_behind_output",
        {"t/0": None},
        {"t/0": 10},
    )
    assert (last["event"], last["after_s"]) == ("committed_offsets_caught_up", 3.0)
