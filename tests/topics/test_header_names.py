"""Header names that are not UTF-8: the record and those behind it are read."""

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from triage.topics.header_names import read_any_header_names

# Of the length of the bytes that take its place.
STAND_IN, BYTES = "header-name", b"h\xff\xfeder-n\x80me"


@pytest.fixture(autouse=True)
def _lenient(monkeypatch):
    from kafka.record import memory_records

    monkeypatch.setattr(memory_records, "DefaultRecordBatch", memory_records.DefaultRecordBatch)
    read_any_header_names()


def batch(compression):
    builder = DefaultRecordBatchBuilder(2, compression, False, -1, -1, -1, 1 << 20)
    for number in range(3):
        headers = [(STAND_IN, b"v"), ("plain", None)] if number == 1 else [("plain", b"w")]
        builder.append(number, 1_000, None, b"value-%d" % number, headers)
    return builder


@pytest.mark.parametrize("compression", [0, DefaultRecordBatchBuilder.CODEC_GZIP])
def test_the_record_and_its_neighbours_are_read(compression, monkeypatch):
    builder = batch(0)
    assert builder._buffer.count(STAND_IN.encode()) == 1
    builder._buffer = builder._buffer.replace(STAND_IN.encode(), BYTES)
    builder._compression_type = compression
    found = list(MemoryRecords(bytes(builder.build())).next_batch())
    assert [record.value for record in found] == [b"value-0", b"value-1", b"value-2"]
    assert found[1].headers == [("h\ufffd\ufffdder-n\ufffdme", b"v"), ("plain", None)]
    assert found[2].headers == [("plain", b"w")]


@pytest.mark.stack
def test_a_broker_takes_such_names_and_a_consumer_reads_past_them(stack, prefix, monkeypatch):
    from triage.config import load_settings
    from triage.topics import apply_topics

    settings = load_settings(None, {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix})
    apply_topics(settings.kafka)
    build = DefaultRecordBatchBuilder.build

    def with_bytes(self):
        self._buffer = self._buffer.replace(STAND_IN.encode(), BYTES)
        return build(self)

    monkeypatch.setattr(DefaultRecordBatchBuilder, "build", with_bytes)
    where = TopicPartition(settings.kafka.topic("complaints"), 0)
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number, name in enumerate(["plain", STAND_IN, "plain"]):
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
