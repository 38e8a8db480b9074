"""A header without a value is legal in Kafka: a record that has one can be put back like any other."""

import msgspec
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.record.default_records import DefaultRecordBatchBuilder

from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.dead_letters.origin_headers import Origin, with_origin
from triage.pipeline.dead_letters.reader import DeadLetterFilter
from triage.pipeline.dead_letters.replay import replay_letters
from triage.schemas.deadletter import DeadLetter
from triage.topics import apply_topics
from triage.topics.scan import TopicScan
from triage.types import Position

NULL = b"to be null"


def test_a_copy_has_it_empty():
    copied = with_origin([("trace", None), ("shop", b"1")], Origin(Position("t", 0, 7), 5, 1))
    assert copied[:2] == [("trace", b""), ("shop", b"1")]


@pytest.fixture
def nulls(monkeypatch):
    """Producers send null where the test says NULL: kafka-python alone can't."""
    append = DefaultRecordBatchBuilder.append

    def with_nulls(self, offset, timestamp, key, value, headers):
        given = [(name, None if each == NULL else each) for name, each in headers]
        return append(self, offset, timestamp, key, value, given)

    monkeypatch.setattr(DefaultRecordBatchBuilder, "append", with_nulls)


@pytest.mark.stack
def test_it_is_replayed(stack, prefix, nulls):
    kafka = {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix}
    settings = load_settings(None, {**kafka, "worker.fleet": prefix})
    apply_topics(settings.kafka)
    raw = TopicPartition(settings.kafka.topic("complaints"), 0)
    letter = DeadLetter(
        stage="decode", reason="not_json", message="", topic=raw.topic, partition=0, offset=0, timestamp_ms=1,
        failed_at="2026-11-22T09:29:00Z", attempts=1, pipeline="1", payload="", payload_bytes=0, headers={},
    )  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    producer.send(raw.topic, b"{", partition=0, headers=[("trace", NULL), ("shop", b"1")]).get(30)
    notes = settings.kafka.topic("dead-letter")
    producer.send(notes, key=letter.key.encode(), value=msgspec.json.encode(letter)).get(30)
    producer.close()
    replayed = list(replay_letters(settings, ManualClock(), DeadLetterFilter(), is_erased=lambda *_: False))
    assert [each.outcome for each in replayed] == ["replayed"]
    with TopicScan(settings.kafka, "test") as scan:
        first, copy = [record for records in scan.read(scan.ranges([raw])) for record in records]
    assert first.headers == [("trace", None), ("shop", b"1")]
    assert copy.headers[:2] == [("trace", b""), ("shop", b"1")]
