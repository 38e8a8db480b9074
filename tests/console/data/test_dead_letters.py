"""Dead letters as their topic tells: the last word on each record counts."""

import time

import msgspec
import pytest
from followed import FollowedTopic
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from triage.config import KafkaSettings
from triage.console.data.dead_letters import DeadLetters
from triage.schemas.deadletter import DeadLetter
from triage.topics import follower


def _letter(reason, offset, **fields):
    letter = DeadLetter(
        stage="decode", reason=reason, message="", topic="t", partition=0, offset=offset, timestamp_ms=0, failed_at="",
        attempts=1, pipeline="0", payload="", payload_bytes=0, headers={}, **fields,
    )  # fmt: skip
    return letter.key.encode(), msgspec.json.encode(letter)


def _wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.05)


@pytest.mark.stack
def test_follows_what_is_there_and_what_comes(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)
    admin = KafkaAdminClient(**settings.client())
    admin.create_topics([NewTopic(settings.topic("dead-letter"), 1, 1)])
    admin.close()
    producer = KafkaProducer(**settings.client())
    letters = DeadLetters(settings)
    try:

        def send(key, value):
            producer.send(settings.topic("dead-letter"), key=key, value=value)
            producer.flush()

        for offset in range(3):
            send(*_letter("not_json", offset))
        assert letters.total is None
        letters.follower.start()
        _wait_for(lambda: letters.total == 3)
        send(b"t/0/7", b'{"stage": "not UTF-8: \xff"}')
        send(*_letter("missing_text", 9))
        _wait_for(lambda: letters.total == 5)
        assert letters.by_reason() == {"not_json": 3, "not_understood": 1, "missing_text": 1}
        assert letters.latest(2)[0].offset == 9
        send(*_letter("not_json", 1, replayed_at="2026-11-22T09:30:00.000Z"))
        send(b"t/0/2", None)
        _wait_for(lambda: letters.total == 3)
        assert {letter.offset for letter in letters.latest(9)} == {0, 9}
        send(*_letter("index_rejected", 44, original="t/0/0"))
        _wait_for(lambda: "index_rejected" in letters.by_reason())
        assert letters.total == 3
    finally:
        letters.follower.stop()
        producer.close()


def test_one_that_is_no_text_is_counted_as_not_understood(monkeypatch):
    topic = FollowedTopic(b'{"stage": "\xff"}', _letter("not_json", 5)[1])
    monkeypatch.setattr(follower, "TopicScan", topic)
    letters = DeadLetters(KafkaSettings())
    assert letters.total is None
    letters.follower.start_and_wait(10)
    letters.follower.stop()
    assert letters.total == 2
    assert letters.by_reason() == {"not_understood": 1, "not_json": 1}


def test_what_is_read_again_is_not_counted_twice(monkeypatch):
    topic = FollowedTopic(b'{"stage": "\xff"}', _letter("not_json", 5)[1])
    monkeypatch.setattr(follower, "TopicScan", topic)
    monkeypatch.setattr(follower, "_FOLLOWING_PAUSE_S", 0.01)
    monkeypatch.setattr(follower, "_RETRY_INTERVAL_S", 0.01)
    letters = DeadLetters(KafkaSettings())
    letters.follower.start_and_wait(10)
    try:
        topic.records.clear()
        topic.partitions = ["p", "q"]
        _wait_for(lambda: topic.scans == 2 and letters.total == 0)
    finally:
        letters.follower.stop()
    assert letters.latest(9) == []
