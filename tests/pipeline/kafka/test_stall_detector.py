"""A stalled partition is distinguished from one that waits its turn."""

from triage.clock import ManualClock
from triage.pipeline.kafka.stall_detector import StallDetector
from triage.pipeline.source import PartitionState

P, Q = ("t", 0), ("t", 1)


def rig():
    clock = ManualClock()
    detector = StallDetector(clock, after_s=30)

    def pass_time(states, seconds=31, empty_polls=30):
        detector.stalled(states)
        for _ in range(empty_polls):
            detector.count_empty_poll()
        clock.advance(seconds)
        return detector.stalled(states)

    return pass_time


def test_a_partition_with_records_that_is_not_read_is_named_once_per_position():
    pass_time = rig()
    states = {P: PartitionState(5, 9), Q: PartitionState(9, 9)}
    assert pass_time(states) == [P]
    assert pass_time(states) == []
    assert pass_time({P: PartitionState(6, 9)}) == [P]


def test_one_that_waits_while_others_are_read_is_not_reported():
    assert rig()({P: PartitionState(5, 9)}, empty_polls=3) == []


def test_one_without_lag_or_that_moves_is_not_reported():
    pass_time = rig()
    assert pass_time({P: PartitionState(9, 9)}) == []
    for position in range(5):
        assert pass_time({P: PartitionState(position, 9)}, seconds=20) == []


def test_time_starts_again_after_the_partition_was_revoked():
    pass_time = rig()
    assert pass_time({P: PartitionState(5, 9)}, seconds=20) == []
    assert pass_time({}, seconds=20) == []
    assert pass_time({P: PartitionState(5, 9)}, seconds=20) == []
