"""Record headers whose names are not UTF-8, which other clients may send and kafka-python 3.0 cannot read past."""

from typing import Any, SupportsIndex

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch


class _Lenient(bytes):
    """Slices decode what is not UTF-8 as U+FFFD, as Kafka's own Java clients do."""

    def __getitem__(self, key: "SupportsIndex | slice") -> Any:
        found = super().__getitem__(key)
        return _Lenient(found) if isinstance(found, bytes) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class LenientRecordBatch(DefaultRecordBatch):
    """Reads a record again with lenient names where a strict reading fails."""

    _buffer: Any
    _pos: int

    def _read_msg(self) -> Any:
        start = self._pos
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            strict, self._buffer, self._pos = self._buffer, _Lenient(self._buffer), start
            try:
                return super()._read_msg()
            finally:
                self._buffer = strict


def read_any_header_names() -> None:
    """For all of kafka-python's consumers in this process.

    There a name that is not UTF-8 fails the poll, and each poll after it spins for ever: no record behind it is read.
    """
    memory_records.DefaultRecordBatch = LenientRecordBatch
