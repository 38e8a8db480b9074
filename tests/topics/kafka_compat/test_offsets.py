"""Offsets of partitions without a leader, and offsets that Kafka no longer has."""

import time
from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka_reading import read

from triage.topics.kafka_compat import CooperativeConsumer, known_offsets, report_resets

PARTITIONS = [TopicPartition("t", number) for number in range(3)]


def _ask(*led):
    """As the library answers: a KeyError for the first partition that it left out of its request."""

    def ask(partitions):
        found = {each: each.partition for each in partitions if each.partition in led}
        return {each: found[each] for each in partitions}

    return ask


@pytest.mark.parametrize("led", [(0, 1, 2), (1,), ()])
def test_partitions_without_a_leader_are_left_out(led):
    assert known_offsets(_ask(*led), PARTITIONS) == {PARTITIONS[number]: number for number in led}


def test_another_error_is_not_swallowed():
    def ask(_):
        raise KeyError("something else")

    with pytest.raises(KeyError, match="something else"):
        known_offsets(ask, PARTITIONS)


def test_the_offset_that_was_to_be_read_is_reported_before_it_is_reset():
    where, steps = TopicPartition("t", 0), []
    subscriptions = SimpleNamespace(
        assignment={where: SimpleNamespace(position=SimpleNamespace(offset=7))},
        request_offset_reset=lambda *given: steps.append(given),
    )
    report_resets(SimpleNamespace(_subscription=subscriptions), lambda *given: steps.append(given))
    subscriptions.request_offset_reset(where)
    subscriptions.assignment[where].position = None
    subscriptions.request_offset_reset(where, 1)
    assert steps == [(where, 7), (where,), (where, 1)]


@pytest.mark.stack
def test_a_consumer_that_retention_passed_says_what_it_was_to_read(stack, topic):
    where = TopicPartition(topic, 0)
    consumer = CooperativeConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=topic, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        read(lambda: consumer.poll(timeout_ms=200), {}, 20)
        admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
        admin.delete_records({where: 50})
        admin.close()
        consumer.seek(where, 3)
        until = time.monotonic() + 20
        while not (found := consumer.resets()) and time.monotonic() < until:
            consumer.poll(timeout_ms=200)
        assert found == {where: 3}
        assert consumer.position(where) >= 50
    finally:
        consumer.close(autocommit=False)
