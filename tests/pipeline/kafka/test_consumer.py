"""What kafka-python's consumer forgets, and that the worker's way of waiting does not make it."""

import json
import time
import uuid

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from triage.pipeline.kafka.consumer import GroupConsumer

pytestmark = pytest.mark.stack

EACH = 100


@pytest.fixture
def topic(stack):
    """A topic with `EACH` records in each of two partitions."""
    name = f"parked-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number in range(2 * EACH):
        producer.send(name, value=json.dumps(number).encode(), partition=number % 2)
    producer.flush()
    producer.close()
    yield name
    admin.delete_topics([name])
    admin.close()


def _read(poll, counts, until_s, enough=2 * EACH):
    """Poll until `enough` records were read in all, or for so long."""
    until = time.monotonic() + until_s
    while sum(counts.values()) < enough and time.monotonic() < until:
        for partition, records in poll().items():
            counts[partition] = counts.get(partition, 0) + len(records)
    return counts


def test_the_library_forgets_a_partition_paused_in_mid_fetch_once_another_was_read(stack, topic):
    """Decision 8. Where this fails the library is mended, and waiting can be pause, poll and resume again."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        counts = _read(lambda: consumer.poll(timeout_ms=200, max_records=10), {}, 20, enough=10)
        (begun,) = counts
        consumer.pause(begun)
        _read(lambda: consumer.poll(timeout_ms=200), counts, 20, enough=10 + EACH)
        consumer.resume(begun)
        _read(lambda: consumer.poll(timeout_ms=200), counts, 2)
        assert counts[begun] == 10
    finally:
        consumer.close(autocommit=False)


def test_attending_in_mid_fetch_forgets_nothing(stack, topic):
    consumer = GroupConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=topic, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        counts = _read(lambda: consumer.records(10, 500), {}, 20, enough=10)
        for _ in range(5):
            consumer.attend(100)
        assert _read(lambda: consumer.records(500, 200), counts, 20) == {
            TopicPartition(topic, number): EACH for number in range(2)
        }
    finally:
        consumer.close(autocommit=False)
