"""Many records that are sent at once: the bytes of the library, and one outcome for all."""

from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import IllegalStateError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from unconnected_producer import unconnected

from triage.topics.kafka_compat.record_batches import append_all, encoded_batches

WHERE = TopicPartition("t", 1)
HEADERS = [("traceparent", b"00-1-2-01"), ("naïve", b"")]
RECORDS = [
    *((b"key-%d" % number, b"v" * (number * 37)) for number in range(200)),
    (None, b"no key"),
    (b"tombstone", None),
    (b"", b""),
    (b"k" * 70, b"x" * 40_000),
]


def library(records, headers):
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 30)
    for number, (key, value) in enumerate(records):
        builder.append(number, 1_000, key, value, headers)
    return bytes(builder._buffer[builder.HEADER_STRUCT.size :])


@pytest.mark.parametrize("headers", [[], HEADERS])
def test_the_bytes_are_those_of_the_library(headers):
    assert list(encoded_batches(RECORDS, headers, 1 << 30, 1 << 30)) == [(library(RECORDS, headers), len(RECORDS))]


def test_batches_keep_the_order_and_the_limit():
    found = list(encoded_batches(RECORDS, [], 16_384, 1 << 20))
    assert sum(count for _, count in found) == len(RECORDS)
    assert all(len(encoded) + 61 <= 16_384 or count == 1 for encoded, count in found)
    start = 0
    for encoded, count in found:
        assert encoded == library(RECORDS[start : start + count], [])
        start += count


def test_a_record_above_the_limit_of_requests_is_refused():
    with pytest.raises(MessageSizeTooLargeError):
        list(encoded_batches([(b"k", b"x" * 1_000)], [], 16_384, 900))


class Transaction:
    """The part of kafka-python's transaction manager that sending uses."""

    def __init__(self):
        self.partitions, self.sequence = [], 0

    def maybe_add_partition_to_transaction(self, partition):
        self.partitions.append(partition)

    def set_sequence_number(self, _, number):
        self.sequence = number


@pytest.fixture
def producer():
    woken = []
    made = unconnected(
        _transaction_manager=Transaction(),
        _accumulator=RecordAccumulator(batch_size=16_384, transaction_manager=Transaction()),
        _sender=SimpleNamespace(wakeup=lambda: woken.append(True)),
        partitions_for=lambda _: {0, 1},
        woken=woken,
    )
    made.config |= {"batch_size": 16_384, "max_request_size": 1 << 20}
    return made


def batches(producer):
    return list(producer._accumulator._batches[WHERE])


def read(batch):
    batch.records.close()
    raw = MemoryRecords(bytes(batch.records.buffer()))
    return [(record.key, record.value, record.headers) for record in Fetcher.PartitionRecords(0, WHERE, raw).take()]


def test_all_are_sent_in_order_and_acknowledged_as_one(producer):
    sent = append_all(producer, WHERE, RECORDS, HEADERS)
    assert producer._transaction_manager.partitions == [WHERE]
    assert producer.woken == [True]
    assert producer._accumulator._incomplete.all()
    found = [record for batch in batches(producer) for record in read(batch)]
    assert found == [(key, value, HEADERS) for key, value in RECORDS]
    first, *others = batches(producer)
    assert others
    first.complete(7, -1)
    assert not sent.is_done
    for batch in others:
        batch.complete(0, -1)
    assert (sent.is_done, sent.exception) == (True, None)
    sent.get(1)


def test_the_record_that_failed_is_named(producer):
    sent = append_all(producer, WHERE, [(b"a", b"1"), (b"b", b"2")], [])
    (batch,) = batches(producer)
    refused = {1: MessageSizeTooLargeError("b")}
    batch.complete_exceptionally(MessageSizeTooLargeError(), refused.get)
    assert sent.errors() == [None, refused[1]]
    with pytest.raises(MessageSizeTooLargeError, match="b"):
        sent.get(1)


def test_what_is_not_acknowledged_in_time_is_a_timeout(producer):
    sent = append_all(producer, WHERE, [(b"a", b"1")], [])
    assert (sent.is_done, sent.errors()) == (False, [None])
    with pytest.raises(KafkaTimeoutError):
        sent.get(0.01)


def test_a_batch_that_was_split_is_done_when_all_its_parts_are(producer):
    """The library splits a batch that the broker refuses as too large, again and again."""
    sent = append_all(producer, WHERE, [(b"%d" % number, b"v") for number in range(5)], [])
    split = producer._accumulator.split_and_reenqueue
    (batch,) = batches(producer)
    batch.records.set_producer_state(1, 0, 0, True)
    batch.records.close()
    producer._accumulator._batches[WHERE].clear()
    split(batch)
    three, two = batches(producer)
    assert batch.produce_future.wait(0)
    assert not sent.is_done
    two.complete(3, -1)
    three.records.set_producer_state(1, 0, 0, True)
    three.records.close()
    producer._accumulator._batches[WHERE].clear()
    split(three)
    first, third = batches(producer)
    first.complete(0, -1)
    assert not sent.is_done
    error = MessageSizeTooLargeError("alone")
    third.complete_exceptionally(error, lambda _: error)
    assert sent.errors() == [None, None, error, None, None]
    with pytest.raises(MessageSizeTooLargeError, match="alone"):
        sent.get(1)


def test_a_closed_producer_takes_nothing(producer):
    producer._accumulator.close()
    with pytest.raises(IllegalStateError):
        append_all(producer, WHERE, [(b"a", b"1")], [])
    assert batches(producer) == []
    producer._accumulator.abort_incomplete_batches()


def test_a_producer_that_is_ended_by_force_fails_the_records(producer):
    sent = append_all(producer, WHERE, [(b"a", b"1"), (b"b", b"2")], [])
    producer._accumulator.abort_incomplete_batches()
    assert [type(error) for error in sent.errors()] == [IllegalStateError, IllegalStateError]
