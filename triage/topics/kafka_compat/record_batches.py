"""Appends many records to a producer at once: encoded in one pass, with one outcome instead of a future for each.

The library takes locks, builds a future with a callback, and checks the state of the transaction for each record: four
fifths of a worker's time for a commit. See docs/decisions/0025-record-batches.md. Remove when the library has a method
that sends many records.
"""

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from kafka import KafkaProducer
from kafka.errors import IllegalStateError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecordsBuilder

from triage.topics.kafka_types import Headers, TopicPartition

Record = tuple[bytes | None, bytes | None]
"""Key and value."""

_MAGIC = 2
_NULL = b"\x01"
# Without attributes, and with the timestamp of the batch.
_PLAIN = b"\x00\x00"
_SPLIT_POLL_S = 0.001


class SentRecords:
    """The outcome of records that were sent together, in the order in which they were sent."""

    def __init__(self) -> None:
        self._parts: list[_BatchRecords] = []

    def add(self, part: "_BatchRecords") -> None:
        self._parts.append(part)

    @property
    def is_done(self) -> bool:
        """True once each record is acknowledged or has failed."""
        return all(part.pending() is None for part in self._parts)

    @property
    def exception(self) -> BaseException | None:
        """The first error of a record; None while there is none."""
        return next((error for error in self.errors() if error is not None), None)

    def errors(self) -> list[BaseException | None]:
        """Return the error of each record, in order; None for a record that was acknowledged or is not done."""
        return [error for part in self._parts for error in part.errors()]

    def get(self, timeout: float | None = None) -> None:
        """Wait until each record is acknowledged, up to `timeout` seconds.

        Raises the error with which a record failed, KafkaTimeoutError if one is not done in time.
        """
        until = None if timeout is None else time.monotonic() + timeout
        for part in self._parts:
            while (pending := part.pending()) is not None:
                left = None if until is None else until - time.monotonic()
                if (left is not None and left <= 0) or not pending.wait(left):
                    raise KafkaTimeoutError(f"Timeout after waiting for {timeout} secs.")
                if not pending.is_done:
                    # The batch is being split: its records get new futures one after the other.
                    time.sleep(_SPLIT_POLL_S)
        if (error := self.exception) is not None:
            raise error


class _BatchRecords(Sequence["_Record"]):
    """The records of one producer batch, in place of the list of their futures.

    The library asks for a record only if the broker refuses the batch as too large: it is split then, and each record
    gets the future of its new batch.
    """

    def __init__(self, future: Any, count: int) -> None:
        self._future = future
        self._count = count
        self._moved: dict[int, _Record] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: Any) -> Any:
        return self._moved.setdefault(number, _Record(self._future, number))

    def pending(self) -> Any:
        """The future of a batch that is not done; None if there is none."""
        if not self._moved:
            return None if self._future.is_done else self._future
        return next((each.future for each in map(self._place, range(self._count)) if not each.future.is_done), None)

    def errors(self) -> list[BaseException | None]:
        if not self._moved and (not self._future.is_done or _has_no_error(self._future)):
            return [None] * self._count
        return [self._place(number).error() for number in range(self._count)]

    def _place(self, number: int) -> "_Record":
        return self._moved.get(number) or _Record(self._future, number)


class _Record:
    """A record of a batch: the future of the batch, and the record's number in it."""

    __slots__ = ("future", "number")

    def __init__(self, future: Any, number: int) -> None:
        self.future = future
        self.number = number

    def rebind(self, future: Any, number: int) -> None:
        """Called by the library, on its sending thread, for each record of a batch that is split."""
        earlier, self.future, self.number = self.future, future, number
        # The earlier future is never completed: who waits for it must look again.
        earlier._latch.set()  # noqa: SLF001

    def error(self) -> BaseException | None:
        if not self.future.is_done or _has_no_error(self.future):
            return None
        if self.future.exception is not None:
            found: BaseException = self.future.exception
            return found
        error: BaseException = self.future.value[2](self.number)
        return error


def _has_no_error(future: Any) -> bool:
    return future.exception is None and future.value[2] is None


def append_all(
    producer: KafkaProducer, partition: TopicPartition, records: Sequence[Record], headers: Headers
) -> SentRecords:
    """Append the records to the producer's batches of a partition, all with the same headers.

    Raises the errors of the library's `send`: IllegalStateError if the producer is closed or has no transaction,
    MessageSizeTooLargeError for a record above `max_request_size`, KafkaTimeoutError if the topic is not known in time.
    """
    producer.partitions_for(partition.topic)
    if producer._transaction_manager is not None:  # noqa: SLF001 - nothing public takes more than one record
        producer._transaction_manager.maybe_add_partition_to_transaction(partition)  # noqa: SLF001
    accumulator, sent = producer._accumulator, SentRecords()  # noqa: SLF001
    limits = producer.config["batch_size"], producer.config["max_request_size"]
    batches = [
        _batch(partition, accumulator.config, encoded, count)
        for encoded, count in encoded_batches(records, headers, *limits)
    ]
    # Counted, so that a producer that is closed meanwhile fails these batches too.
    accumulator._appends_in_progress.increment()  # noqa: SLF001
    try:
        with accumulator._tp_lock(partition):  # noqa: SLF001
            if accumulator._closed:  # noqa: SLF001
                raise IllegalStateError("RecordAccumulator is closed")
            for batch in batches:
                accumulator._batches[partition].append(batch)  # noqa: SLF001
                accumulator._incomplete.add(batch)  # noqa: SLF001
                sent.add(batch._record_futures)  # noqa: SLF001
    finally:
        accumulator._appends_in_progress.decrement()  # noqa: SLF001
    producer._sender.wakeup()  # noqa: SLF001
    return sent


def _batch(partition: TopicPartition, config: dict[str, Any], encoded: bytes, count: int) -> ProducerBatch:
    records = MemoryRecordsBuilder(_MAGIC, config["compression_attrs"], config["batch_size"])
    builder, now_ms = records._builder, int(time.time() * 1000)  # noqa: SLF001
    builder._buffer += encoded  # noqa: SLF001
    builder._first_timestamp = builder._max_timestamp = now_ms  # noqa: SLF001
    builder._num_records, builder._last_offset = count, count - 1  # noqa: SLF001
    records.skip(count)
    batch = ProducerBatch(partition, records)
    batch.max_record_size = len(encoded) // count
    batch._record_futures = _BatchRecords(batch.produce_future, count)  # noqa: SLF001
    return batch


def encoded_batches(
    records: Sequence[Record], headers: Headers, batch_bytes: int, record_bytes: int
) -> Iterator[tuple[bytes, int]]:
    """Encode records in format 2 and divide them into batches: (encoded records, number of records) of each.

    A batch has at most `batch_bytes` bytes with its header, or one record. Raises MessageSizeTooLargeError for a record
    of more than `record_bytes` bytes.
    """
    tail = _encoded_headers(headers)
    room = batch_bytes - DefaultRecordBatchBuilder.HEADER_STRUCT.size
    parts: list[bytes] = []
    size = count = 0
    for record in records:
        encoded = _encoded(record, count, tail)
        if len(encoded) > record_bytes:
            raise MessageSizeTooLargeError(f"a record of {len(encoded)} bytes is larger than max_request_size")
        if count and size + len(encoded) > room:
            yield b"".join(parts), count
            parts, size, count = [], 0, 0
            encoded = _encoded(record, 0, tail)
        parts.append(encoded)
        size += len(encoded)
        count += 1
    if count:
        yield b"".join(parts), count


def _encoded(record: Record, number: int, tail: bytes) -> bytes:
    key, value = record
    body = b"".join(
        (
            _PLAIN,
            _varint(number),
            *((_NULL,) if key is None else (_varint(len(key)), key)),
            *((_NULL,) if value is None else (_varint(len(value)), value)),
            tail,
        )
    )
    return _varint(len(body)) + body


def _encoded_headers(headers: Headers) -> bytes:
    parts = [_varint(len(headers))]
    for name, value in headers:
        encoded = name.encode()
        parts += (_varint(len(encoded)), encoded, _varint(len(value)), value)
    return b"".join(parts)


@lru_cache(maxsize=1 << 16)
def _varint(number: int) -> bytes:
    """Encode a number from 0 up as Kafka's varint: zigzag, then seven bits a byte, the lowest first."""
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)
