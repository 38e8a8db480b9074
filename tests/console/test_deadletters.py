"""Dead letters are counted from their topic, aborted transactions and markers aside."""

import threading
import time

import msgspec
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from triage.config import KafkaSettings
from triage.console.deadletters import DeadLetterCount
from triage.schemas.deadletter import DeadLetter

pytestmark = pytest.mark.stack


def _letter(reason):
    return msgspec.json.encode(
        DeadLetter(
            stage="decode", reason=reason, message="", topic="t", partition=0, offset=1, timestamp_ms=0, failed_at="",
            attempts=1, pipeline="0", payload="", payload_bytes=0, headers={},
        )
    )  # fmt: skip


def _wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.05)


def test_counts_what_is_there_and_what_comes(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)
    admin = KafkaAdminClient(**settings.client())
    admin.create_topics([NewTopic(settings.topic("dead-letter"), 2, 1)])
    admin.close()
    producer = KafkaProducer(**settings.client())
    count = DeadLetterCount(settings)
    try:
        for number in range(3):
            producer.send(settings.topic("dead-letter"), _letter("not_json"), partition=number % 2)
        producer.flush()
        assert count.total is None
        count.start()
        _wait_for(lambda: count.total == 3)
        producer.send(settings.topic("dead-letter"), b"written by another version")
        producer.flush()
        _wait_for(lambda: count.total == 4)
    finally:
        count.stop()
        producer.close()


def test_without_kafka_it_is_unknown_leaves_no_threads_and_stops_at_once():
    before = threading.active_count()
    count = DeadLetterCount(KafkaSettings(bootstrap_servers="127.0.0.1:9,[::1]:9"))
    count.start()
    assert count.total is None
    assert threading.active_count() == before + 1
    count.stop()
    assert threading.active_count() == before
