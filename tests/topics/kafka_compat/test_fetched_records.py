"""Records of fetched batches: the same as those of the library, also for what only the library can read."""

import random
import struct

import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher, IsolationLevel
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import FetchResponse
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

from triage.topics.kafka_compat import read_any_header_names
from triage.topics.kafka_compat.fetched_records import FetchedRecord, FetchedRecords

WHERE = TopicPartition("t", 1)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", DefaultRecordBatch)
    read_any_header_names()


def batch(first, values, codec=0, producer_id=-1, attributes=0, timestamp=1_000):
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 20)
    for number, value in enumerate(values):
        headers = [("h", b"w"), ("null", None)] if number % 3 == 1 else []
        builder.append(number, timestamp + number * 7, None if number % 2 else b"k%d" % number, value, headers)
    builder.set_producer_state(
        producer_id, 0 if producer_id >= 0 else -1, 0 if producer_id >= 0 else -1, producer_id >= 0
    )
    raw = bytearray(builder.build())
    return sealed(raw, first, attributes)


def sealed(raw, first=0, attributes=0):
    """A batch with this first offset and these further attributes, and the checksum that fits."""
    struct.pack_into(">q", raw, 0, first)
    struct.pack_into(">h", raw, 21, struct.unpack_from(">h", raw, 21)[0] | attributes)
    struct.pack_into(">I", raw, 17, calc_crc32c(memoryview(raw)[21:]))
    return bytes(raw)


def marker(first, producer_id, kind):
    builder = DefaultRecordBatchBuilder(2, 0, True, producer_id, 0, 0, 1 << 20)
    builder.append(0, 1_000, struct.pack(">hh", 0, kind), b"", [])
    return sealed(bytearray(builder.build()), first, 0x20)


VALUES = [b"", None, b"x" * 300, b"y" * 20_000, "Füße 退款".encode()]


def both(raw, start=0, sizes=(1_000,), aborted=()):
    """What was read by the library and here: fields of each record, next offset after each step, the error."""
    results = []
    for kind in (Fetcher.PartitionRecords, FetchedRecords):
        found = kind(
            start,
            WHERE,
            MemoryRecords(raw),
            isolation_level=IsolationLevel.READ_COMMITTED,
            aborted_transactions=aborted,
        )
        steps = []
        try:
            for size in sizes:
                if not found:
                    break
                taken = [tuple(getattr(record, name) for name in FetchedRecord._fields) for record in found.take(size)]
                steps.append((taken, found.next_fetch_offset, bool(found)))
        except Exception as error:
            steps.append(type(error))
        results.append(steps)
    return results


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_records_are_those_of_the_library(codec):
    raw = batch(10, VALUES, codec) + batch(20, VALUES * 3, codec, timestamp=-1) + batch(50, VALUES, attributes=8)
    library, here = both(raw, 12, [2, 3, 4, 100, 100])
    assert here == library
    assert sum(len(step[0]) for step in here) == 23


def test_transactions_that_were_aborted_and_markers_are_left_out():
    aborted = [FetchResponse.FetchableTopicResponse.PartitionData.AbortedTransaction(producer_id=7, first_offset=3)]
    raw = b"".join(
        [
            batch(0, VALUES[:3], producer_id=5, attributes=0x10),
            batch(3, VALUES[:2], producer_id=7, attributes=0x10),
            batch(5, VALUES[:2], producer_id=5, attributes=0x10),
            marker(7, 7, 0),
            marker(8, 5, 1),
            batch(9, VALUES[:1], producer_id=7, attributes=0x10),
            marker(10, 7, 1),
        ]
    )
    library, here = both(raw, 0, [3, 1, 100, 100], aborted)
    assert here == library
    assert [len(step[0]) for step in here] == [3, 1, 2]
    assert here[-1][1] == 11


def test_the_offset_after_a_compacted_batch_is_that_of_its_end():
    raw = bytearray(batch(10, VALUES[:2]))
    struct.pack_into(">i", raw, 23, 9)
    library, here = both(sealed(raw, 10), 10, [100])
    assert here == library
    assert here[0][1] == 20


def test_records_before_a_damaged_one_are_read_and_its_error_is_that_of_the_library():
    raw = bytearray(batch(10, [b"aaaa", b"bbbb", b"cccc"]))
    raw[raw.index(b"cccc") - 1] = 0x7F
    library, here = both(sealed(raw, 10), 10, [100, 100])
    assert here == library
    assert len(here[0][0]) == 2
    assert here[1] is CorruptRecordError


def test_a_wrong_checksum_is_an_error_before_any_record():
    raw = bytearray(batch(10, VALUES))
    raw[-1] ^= 1
    library, here = both(bytes(raw), 10, [100])
    assert here == library == [CorruptRecordError]


def test_batches_of_the_old_formats_are_read():
    builder = MemoryRecordsBuilder(1, 0, 1 << 20)
    for value in (b"a", b"b"):
        builder.append(1_000, b"k", value)
    builder.close()
    library, here = both(bytes(builder.buffer()), 0, [100])
    assert [record[:6] for record in here[0][0]] == [record[:6] for record in library[0][0]]
    assert len(here[0][0]) == 2


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_damaged_batches_with_a_checksum_that_fits_are_read_as_by_the_library(codec):
    """Whoever writes to a topic can send any bytes: nothing but errors of the library may follow."""
    chance = random.Random(5)
    whole = batch(0, [b"a" * 5, None, b"b" * 200], CODECS[codec])
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            raw[chance.randrange(57, len(raw))] = chance.randrange(256)
        library, here = both(sealed(raw), 0, [100, 100])
        assert here == library
