"""Fetched records of paused partitions."""

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka_reading import EACH, read

from triage.topics.kafka_compat import CooperativeConsumer


@pytest.mark.stack
def test_the_library_forgets_a_partition_paused_in_mid_fetch_once_another_was_read(stack, topic):
    """Decision 8. Where this fails the library is mended, and waiting can be pause, poll and resume again."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        counts = read(lambda: consumer.poll(timeout_ms=200, max_records=10), {}, 20, enough=10)
        (begun,) = counts
        consumer.pause(begun)
        read(lambda: consumer.poll(timeout_ms=200), counts, 20, enough=10 + EACH)
        consumer.resume(begun)
        read(lambda: consumer.poll(timeout_ms=200), counts, 2)
        assert counts[begun] == 10
    finally:
        consumer.close(autocommit=False)


@pytest.mark.stack
def test_attending_in_mid_fetch_forgets_nothing(stack, topic):
    consumer = CooperativeConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=topic, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        counts = read(lambda: consumer.records(10, 500), {}, 20, enough=10)
        for _ in range(5):
            consumer.attend(100)
        assert read(lambda: consumer.records(500, 200), counts, 20) == {
            TopicPartition(topic, number): EACH for number in range(2)
        }
    finally:
        consumer.close(autocommit=False)
