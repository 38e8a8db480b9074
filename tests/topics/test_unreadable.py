"""What is said of a batch that can't be read, and where reading can continue after it."""

import struct

import pytest
from kafka.record.default_records import DefaultRecordBatchBuilder

from triage.topics.unreadable import describe

ERROR = ValueError("damaged")


def batch(first=10, records=3, codec=0):
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=10_000,
    )  # fmt: skip
    for number in range(records):
        builder.append(number, timestamp=1_000 + number, key=None, value=b"value", headers=[])
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, first)
    return bytes(raw)


def with_claim(last_delta):
    raw = bytearray(batch())
    struct.pack_into(">i", raw, 23, last_delta)
    return bytes(raw)


def test_it_says_what_the_batch_says_of_itself():
    raw = batch(codec=4)
    found = describe("t", 1, 10, ERROR, raw)
    assert (found.position, found.next_offset, found.records, found.timestamp_ms) == ("t/1/10", 13, 3, 1_002)
    assert str(found) == (
        f"the batch at t/1/10 can't be read (3 records, codec zstd, {len(raw)} bytes): ValueError: damaged"
    )
    assert len(found.sha256) == 64


@pytest.mark.parametrize(
    ("offset", "raw", "following", "where"),
    [
        (10, batch(), b"", (10, 13)),
        (12, batch(), b"", (12, 13)),  # its first records were read
        (7, batch(), b"", (10, 13)),  # the offsets before it do not exist
        (10, batch(), batch(first=20), (10, 13)),
        (10, with_claim(100), batch(first=13), (10, 13)),
        (10, with_claim(-5), batch(first=13), (10, 13)),
        (10, with_claim(-5), b"", (10, 11)),
        (10, batch()[:30], b"", (10, 11)),
        (10, b"", b"", (10, 11)),
    ],
)
def test_reading_can_continue_after_it(offset, raw, following, where):
    found = describe("t", 0, offset, ERROR, raw, following)
    assert (found.offset, found.next_offset) == where


def test_a_codec_that_kafka_does_not_define_is_numbered():
    raw = bytearray(batch())
    struct.pack_into(">h", raw, 21, 6)
    assert describe("t", 0, 10, ERROR, bytes(raw)).codec == "unknown (6)"
