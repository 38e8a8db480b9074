"""Describes a record batch that cannot be read: its position, its encoding, and the offset at which to continue."""

import hashlib
import struct
from dataclasses import dataclass

# Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, first and last timestamp, producer id,
# producer epoch, base sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")
_BASE_OFFSET = struct.Struct(">q")
_MAGIC = 2
_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
_CODEC_BITS = 0x07
_REASON_CHARS = 200


@dataclass(frozen=True, slots=True)
class UnreadableBatch:
    """A record batch that the Kafka client cannot read.

    `offset` is its first offset that was not read, `next_offset` the one at which reading can continue after the batch.
    `codec`, `records` and `timestamp_ms` are from its header, which may be damaged, too: they are "unknown" or None if
    the header cannot be read or is not plausible.
    """

    topic: str
    partition: int
    offset: int
    next_offset: int
    reason: str
    codec: str = "unknown"
    records: int | None = None
    timestamp_ms: int | None = None
    size_bytes: int = 0
    sha256: str = ""

    @property
    def position(self) -> str:
        """Position of the first record that was not read, as topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def content(self) -> str:
        """Description of the batch, without its data: number of records, codec and size in bytes."""
        records = "" if self.records is None else f"{self.records} records, "
        return f"{records}codec {self.codec}, {self.size_bytes} bytes"

    def __str__(self) -> str:
        return f"the batch at {self.position} can't be read ({self.content}): {self.reason}"


def describe(
    topic: str, partition: int, offset: int, error: BaseException, raw: bytes = b"", following: bytes = b""
) -> UnreadableBatch:
    """Describe the batch with the bytes `raw`, in which `error` was raised at `offset`.

    `following` has the bytes of the batch after it, if it was fetched. `next_offset` is the one after the last offset
    in the batch's header, if that is plausible; else the first of the following batch; else `offset` + 1.
    """
    reason = f"{type(error).__name__}: {error}"[:_REASON_CHARS]
    size, digest = len(raw), hashlib.sha256(raw).hexdigest() if raw else ""
    if len(raw) < _HEADER.size or (header := _HEADER.unpack_from(raw))[3] != _MAGIC:
        return UnreadableBatch(topic, partition, offset, offset + 1, reason, size_bytes=size, sha256=digest)
    first, _, _, _, _, attributes, last_delta, _, timestamp_ms, _, _, _, records = header
    offset = max(offset, first)
    limit = _BASE_OFFSET.unpack_from(following)[0] if len(following) >= _BASE_OFFSET.size else None
    claimed = first + last_delta + 1
    if claimed > offset and (limit is None or claimed <= limit):
        next_offset = claimed
    else:
        next_offset = limit if limit is not None and limit > offset else offset + 1
    codec = attributes & _CODEC_BITS
    return UnreadableBatch(
        topic,
        partition,
        offset,
        next_offset,
        reason,
        _CODECS[codec] if codec < len(_CODECS) else f"unknown ({codec})",
        records if 0 <= records <= last_delta + 1 else None,
        timestamp_ms if timestamp_ms >= 0 else None,
        size,
        digest,
    )
