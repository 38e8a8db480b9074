"""Offsets of partitions while some have no leader, as kafka-python 3.0 answers then."""

import pytest
from kafka import TopicPartition

from triage.topics.known_offsets import known_offsets

PARTITIONS = [TopicPartition("t", number) for number in range(3)]


def _ask(*led):
    def ask(partitions):
        found = {each: each.partition for each in partitions if each.partition in led}
        return {each: found[each] for each in partitions}

    return ask


@pytest.mark.parametrize("led", [(0, 1, 2), (1,), ()])
def test_those_without_a_leader_are_left_out(led):
    assert known_offsets(_ask(*led), PARTITIONS) == {PARTITIONS[number]: number for number in led}


def test_another_error_is_not_swallowed():
    def ask(_):
        raise KeyError("something else")

    with pytest.raises(KeyError, match="something else"):
        known_offsets(ask, PARTITIONS)
