"""Header names that are not UTF-8, and headers that are null."""

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (
    CorruptRecordError,
)
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from unconnected_producer import unconnected

from triage.config import load_settings
from triage.topics import apply_topics
from triage.topics.kafka_compat import read_any_header_names

# A header name, and bytes of the same length that are not UTF-8.
NAME, BYTES = "header-name", b"h\xff\xfeder-n\x80me"


@pytest.fixture
def strict(monkeypatch):
    """The library as it comes."""
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", DefaultRecordBatch)


@pytest.fixture
def lenient(strict):
    read_any_header_names()


def _batch(compression):
    """Three records as a broker sends them; the one in the middle has the name that is not UTF-8."""
    builder = DefaultRecordBatchBuilder(2, compression, False, -1, -1, -1, 1 << 20)
    for number in range(3):
        headers = [(NAME, b"v"), ("plain", None)] if number == 1 else [("plain", b"w")]
        builder.append(number, 1_000, None, b"value-%d" % number, headers)
    assert builder._buffer.count(NAME.encode()) == 1
    builder._buffer = builder._buffer.replace(NAME.encode(), BYTES)
    return MemoryRecords(bytes(builder.build())).next_batch()


@pytest.mark.parametrize("compression", [0, DefaultRecordBatchBuilder.CODEC_GZIP])
def test_a_record_with_such_a_name_and_its_neighbours_are_read(compression, lenient):
    found = list(_batch(compression))
    assert [record.value for record in found] == [b"value-0", b"value-1", b"value-2"]
    assert found[1].headers == [("h\ufffd\ufffdder-n\ufffdme", b"v"), ("plain", None)]
    assert found[2].headers == [("plain", b"w")]


def test_the_library_fails_on_such_a_name(strict):
    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(_batch(0))


@pytest.mark.stack
def test_a_broker_takes_such_names_and_a_consumer_reads_past_them(stack, prefix, monkeypatch, lenient):
    settings = load_settings(None, {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix})
    apply_topics(settings.kafka)
    build = DefaultRecordBatchBuilder.build

    def with_bytes(self):
        self._buffer = self._buffer.replace(NAME.encode(), BYTES)
        return build(self)

    monkeypatch.setattr(DefaultRecordBatchBuilder, "build", with_bytes)
    where = TopicPartition(settings.kafka.topic("complaints"), 0)
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number, name in enumerate(["plain", NAME, "plain"]):
        producer.send(where.topic, b"%d" % number, partition=0, headers=[(name, b"v")])
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    consumer.assign([where])
    found = []
    for _ in range(50):
        found += [record for records in consumer.poll(timeout_ms=200).values() for record in records]
        if len(found) == 3:
            break
    consumer.close()
    assert [(record.value, record.headers[0][0]) for record in found] == [
        (b"0", "plain"),
        (b"1", "h\ufffd\ufffdder-n\ufffdme"),
        (b"2", "plain"),
    ]


def test_the_library_sends_no_null_header():
    producer = unconnected()
    producer._closed = False
    with pytest.raises(TypeError, match="str, bytes"):
        producer.send("t", b"value", headers=[("trace", None)])
    producer._closed = True
