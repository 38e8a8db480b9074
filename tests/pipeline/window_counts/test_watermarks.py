"""Watermarks of raw partitions: clamped, monotonic, and never ahead of what may still arrive."""

import pytest

from triage.clock import ManualClock
from triage.pipeline.source import PartitionState
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.types import Position

PARTITION = ("feedback.complaints", 0)
BOUND_MS = 5_000


@pytest.fixture
def marks(clock):
    return PartitionWatermarks(clock, out_of_orderness_ms=BOUND_MS, idle_after_s=2.0, interval_ms=1_000)


def at(offset):
    return Position(*PARTITION, offset)


def lagging(position=1, lag=5):
    return {PARTITION: PartitionState(position, position + lag)}


def caught_up(position=1):
    return {PARTITION: PartitionState(position, position)}


def test_an_active_partition_stands_at_its_highest_event_time(marks, clock):
    now = clock.now_ms()
    marks.observe(at(0), now - 60_000, now)
    marks.observe(at(1), now - 90_000, now)
    (sent,) = marks.due(lagging(2, 3))
    assert (sent.watermark_ms, sent.offset, sent.lag, sent.at_ms) == (now - 60_000 - BOUND_MS, 2, 3, now)


def test_the_future_is_clamped_to_the_broker_and_to_the_clock(marks, clock):
    now = clock.now_ms()
    marks.observe(at(0), now + 10**9, now - 7_000)
    assert marks.due(lagging())[0].watermark_ms == now - 7_000 - BOUND_MS
    clock.advance(1)
    marks.observe(at(1), now + 10**9, now + 10**9)
    assert marks.due(lagging())[0].watermark_ms == now + 1_000 - BOUND_MS


def test_what_a_failed_transaction_held_is_not_passed_by_a_later_one(marks, clock):
    now = clock.now_ms()
    marks.observe(at(0), now - 90_000, now)
    first = marks.due(lagging())[0].watermark_ms
    marks.commit()
    clock.advance(1)
    marks.observe(at(1), now, now)
    assert marks.due(lagging(2))[0].watermark_ms == now - BOUND_MS
    marks.rollback()
    (again,) = marks.due(lagging(1))
    assert again.watermark_ms == first, "due at once, as nothing was sent"
    clock.advance(1)
    marks.observe(at(1), now, now)
    assert marks.due(lagging(2))[0].watermark_ms == now - BOUND_MS


def test_a_transaction_that_fails_first_leaves_nothing(marks, clock):
    marks.observe(at(0), clock.now_ms(), clock.now_ms())
    assert marks.due(lagging())
    marks.rollback()
    assert marks.due(lagging()) == []


def test_it_never_goes_back(marks, clock):
    now = clock.now_ms()
    marks.observe(at(0), now, now)
    first = marks.due(lagging())[0].watermark_ms
    clock.advance(1)
    marks.observe(at(1), now - 10**8, now)
    assert marks.due(lagging())[0].watermark_ms == first


def test_an_idle_partition_follows_the_clock_and_a_lagging_one_does_not(marks, clock):
    start = clock.now_ms()
    for _ in range(3):
        assert marks.due(caught_up()) == [], "unknown until it has been caught up for a while"
        clock.advance(1)
    assert marks.due(caught_up())[0].watermark_ms == start - BOUND_MS
    clock.advance(1)
    held = marks.due(caught_up())[0].watermark_ms
    assert held == start + 1_000 - BOUND_MS
    clock.advance(10)
    assert marks.due(lagging())[0].watermark_ms == held
    clock.advance(1)
    assert marks.due(caught_up())[0].watermark_ms == held, "idle time starts again after lag"


def test_a_slow_batch_of_another_partition_makes_no_record_late(marks, clock):
    """What arrived while the worker was busy has not been polled, though the partition still seems caught up."""
    for _ in range(4):
        marks.due(caught_up())
        clock.advance(1)
    marks.due(caught_up())
    arrived = clock.now_ms() + 10
    clock.advance(30)
    (sent,) = marks.due(caught_up())
    assert sent.watermark_ms + BOUND_MS < arrived


def test_a_record_breaks_idleness(marks, clock):
    for _ in range(2):
        marks.due(caught_up())
        clock.advance(2)
    now = clock.now_ms()
    marks.observe(at(1), now - 50_000, now)
    assert marks.due(caught_up(2))[0].watermark_ms == now - 50_000 - BOUND_MS
    clock.advance(2)
    marks.observe(at(2), None, now)
    assert marks.due(caught_up(3))[0].watermark_ms == now - 50_000 - BOUND_MS


def test_a_fast_clock_leaves_records_real_time_to_arrive():
    class Fast(ManualClock):
        def advance(self, seconds):
            super().advance(seconds)
            self.set(self.now_ms() + round(seconds * 1000 * 2879))

    clock = Fast(10**12)
    marks = PartitionWatermarks(clock, out_of_orderness_ms=0, idle_after_s=2.0, interval_ms=100)
    clocks, watermark, late = [], 0, 0
    for step in range(200):
        clocks.append(clock.now_ms())
        if step % 35 == 34:
            created = clocks[-11]  # one real second ago, arriving only now
            late += created < watermark
            marks.observe(at(step), created, 10**15)
        for sent in marks.due(caught_up(step)):
            watermark = sent.watermark_ms
        clock.advance(0.1)
    assert late == 0
    assert watermark > clocks[-1] - 3 * 2880 * 1000


def test_sends_at_most_every_interval_and_forgets_lost_partitions(marks, clock):
    now = clock.now_ms()
    marks.observe(at(0), now, now)
    assert len(marks.due(lagging())) == 1
    assert marks.due(lagging()) == []
    clock.advance(1)
    assert len(marks.due(lagging())) == 1
    assert marks.due({}) == []
    clock.advance(1)
    assert marks.due(lagging()) == [], "given back: its new start is not known yet"
