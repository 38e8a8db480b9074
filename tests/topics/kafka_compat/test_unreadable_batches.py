"""Batches that can't be read."""

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import (
    CorruptRecordError,
)
from kafka.record.default_records import DefaultRecordBatch
from kafka_reading import read


@pytest.mark.stack
def test_the_library_fails_at_a_batch_that_it_cannot_read(stack, topic, monkeypatch):
    """Its next poll would never return: what `stop_at_unreadable` does is in `test_unreadable_batch.py`."""

    def fail(_):
        raise CorruptRecordError("damaged")

    monkeypatch.setattr(DefaultRecordBatch, "_read_msg", fail)
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, 0)])
        with pytest.raises(CorruptRecordError):
            read(lambda: consumer.poll(timeout_ms=200), {}, 20)
    finally:
        consumer.close(autocommit=False)
