"""Lets a consumer pause a partition at a batch that it cannot read."""

from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import CorruptRecordError, KafkaError, UnsupportedCompressionTypeError
from kafka.record import memory_records

from triage.topics.kafka_compat.fetched_records import FetchedRecords
from triage.topics.unreadable import UnreadableBatch, describe

# Errors of a partition in an answer to a fetch: none, CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE.
_UNREADABLE_CODES = (0, CorruptRecordError.errno, UnsupportedCompressionTypeError.errno)


class _SeenBatches:
    """Wraps the record batches of one fetch, and gives the bytes of the current batch and of the one after it."""

    def __init__(self, records: memory_records.MemoryRecords) -> None:
        self._records = records
        self._current: memoryview | None = None

    def next_batch(self) -> Any:
        self._current = self._records._next_slice  # noqa: SLF001 - nothing public tells where a batch is
        return self._records.next_batch()

    def current(self) -> bytes:
        return bytes(self._current or b"")

    def following(self) -> bytes:
        found = self._records._next_slice  # noqa: SLF001
        return b"" if found is None or found is self._current else bytes(found)


def stop_at_unreadable(consumer: KafkaConsumer, report: Callable[[UnreadableBatch], None]) -> None:
    """Let the consumer pause a partition at a batch that it cannot read, report it, and read all other partitions.

    `report` is called on the polling thread. The position stays at the batch: `seek` skips it, and `resume` alone reads
    it again. In the library the poll fails, each poll after it loops forever, and a new consumer fails at the same
    batch. Remove when `test_the_library_fails_at_a_batch_that_it_cannot_read` fails and the exception of a poll names
    the partition.
    """
    fetcher, subscriptions = consumer._fetcher, consumer._subscription  # noqa: SLF001 - it has no hook for it

    class Records(FetchedRecords):
        def __init__(self, fetch_offset: int, tp: Any, records: Any, **options: Any) -> None:
            self._seen = _SeenBatches(records)
            super().__init__(fetch_offset, tp, self._seen, **options)

        def take(self, n: int | None = None) -> list[Any]:
            try:
                taken: list[Any] = super().take(n)
            except Exception as error:  # noqa: BLE001 - the codecs raise errors of their own
                where = self.topic_partition
                subscriptions.pause(where)
                self.drain()
                offset, raw, following = self.next_fetch_offset, self._seen.current(), self._seen.following()
                report(describe(where.topic, where.partition, offset, error, raw, following))
                return []
            return taken

    parse = fetcher._parse_fetched_data  # noqa: SLF001

    def parse_or_stop(completed: Any) -> Any:
        try:
            return parse(completed)
        except KafkaError as error:
            # Either the broker can't read its own log there, or its answer has no whole batch.
            if completed.partition_data.error_code not in _UNREADABLE_CODES:
                raise
            where = completed.topic_partition
            subscriptions.pause(where)
            report(describe(where.topic, where.partition, completed.fetched_offset, error))
            return None

    fetcher.PartitionRecords = Records
    fetcher._parse_fetched_data = parse_or_stop  # noqa: SLF001
