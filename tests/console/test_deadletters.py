"""Dead letters as their topic tells: the last word on each record counts."""

import threading
import time

import msgspec
import pytest
from followed import FollowedTopic
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from triage.config import KafkaSettings
from triage.console import deadletters
from triage.console.deadletters import DeadLetters
from triage.schemas.deadletter import DeadLetter


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
        letters.start()
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
        letters.stop()
        producer.close()


def test_without_kafka_it_is_unknown_leaves_no_threads_and_stops_at_once():
    before = threading.active_count()
    count = DeadLetters(KafkaSettings(bootstrap_servers="127.0.0.1:9,[::1]:9"))
    count.start()
    assert count.total is None
    assert threading.active_count() == before + 1
    count.stop()
    assert threading.active_count() == before


@pytest.fixture
def followed(monkeypatch):
    topic = FollowedTopic(b'{"stage": "\xff"}', _letter("not_json", 5)[1])
    monkeypatch.setattr(deadletters, "KafkaConsumer", topic)
    monkeypatch.setattr(deadletters, "reachable", lambda _: True)
    monkeypatch.setattr(deadletters, "_RETRY_S", 0.01)
    monkeypatch.setattr(deadletters, "_PAUSE_S", 0.01)
    letters = DeadLetters(KafkaSettings())
    yield letters
    letters.stop()


def test_one_that_is_no_text_is_counted_as_not_understood(followed):
    followed.start()
    _wait_for(lambda: followed.total)
    assert followed.by_reason() == {"not_understood": 1, "not_json": 1}


def test_the_reader_outlives_what_nobody_thought_of(followed, monkeypatch):
    take, failures = followed._take, iter([RuntimeError("not thought of")])

    def failing(key, value):
        for failure in failures:
            raise failure
        take(key, value)

    monkeypatch.setattr(followed, "_take", failing)
    followed.start()
    _wait_for(lambda: followed.total == 2)
