"""Takes the records out of what was fetched, a batch at a time.

The library decodes each number of each record in Python, asks for a checksum that only old formats have, and fills a
tuple of 13 fields: a worker's largest cost of reading. Remove when it decodes a batch at once.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kafka.consumer.fetcher import Fetcher, IsolationLevel
from kafka.errors import CorruptRecordError

_MAGIC = 2


class FetchedRecord(NamedTuple):
    """A record as fetched, with the fields of the library's own that triage uses."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class FetchedRecords(Fetcher.PartitionRecords):
    """The records that were fetched of one partition, as FetchedRecord; keys and values are bytes."""

    def _unpack_records(self, tp: Any, records: Any, *_: Any) -> Iterator[FetchedRecord]:
        topic, partition = tp
        while (batch := records.next_batch()) is not None:
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(f"the batch at {topic}/{partition}/{batch.base_offset} has a wrong checksum")
            old = batch.magic < _MAGIC
            if not old and self._holds_no_records(batch):
                self.next_fetch_offset = batch.next_offset
                continue
            self.bytes_read += batch.size_in_bytes
            for record in batch if old else batch.decoded():
                offset = record.offset
                self.next_fetch_offset = offset + 1
                self.records_read += 1
                yield FetchedRecord(
                    topic, partition, offset, record.timestamp, record.key, record.value, record.headers
                )
            if not old:
                # Compaction may have removed the last records of a batch; their offsets stay.
                self.next_fetch_offset = batch.next_offset
        self.drain()

    def _holds_no_records(self, batch: Any) -> bool:
        """Return True for the marker that ends a transaction, and for a batch of a transaction that was aborted."""
        self.leader_epoch = batch.leader_epoch
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return True
        return bool(batch.is_control_batch)
