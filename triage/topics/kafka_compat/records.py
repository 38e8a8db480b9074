"""Reads record batches: a whole batch at once, and records of other clients with header names that are not UTF-8."""

import struct
from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

from aiokafka.record.default_records import DefaultRecordBatch as CompiledRecordBatch
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

compiled_reader: Callable[[Any], Iterable[Any]] = CompiledRecordBatch
"""Decodes the records of an uncompressed batch."""


class _Lenient(bytes):
    """Bytes whose `decode` replaces what is not UTF-8 with U+FFFD, as Kafka's own Java clients do; slices, too."""

    def __getitem__(self, key: "SupportsIndex | slice") -> Any:
        found = super().__getitem__(key)
        return _Lenient(found) if isinstance(found, bytes) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _LenientRecordBatch(DefaultRecordBatch):
    """A record batch that can read records whose header names are not UTF-8: those bytes become U+FFFD.

    It can also decode all of its records at once.
    """

    _buffer: Any
    _pos: int

    def decoded(self) -> Iterable[Any]:
        """Return all records, decoded by aiokafka's compiled reader: a fortieth of the time of the library's own.

        What that refuses, the library reads instead, up to the record that is damaged: the iterator then raises its
        error. Raises the errors of codecs. Remove when the library has a compiled reader.
        """
        header = bytearray(self._buffer[: self.HEADER_STRUCT.size])
        self._maybe_uncompress()
        whole = self._buffer
        if self._pos == 0:
            self._ATTRIBUTES.pack_into(header, self.ATTRIBUTES_OFFSET, self.attributes & ~self.CODEC_MASK)
            whole = header + self._buffer
        try:
            # A bytearray ends with a zero byte: a number that is cut off there ends, too.
            return list(compiled_reader(whole))
        except Exception:  # noqa: BLE001 - it has errors of its own; those of the library name the cause
            return self

    _ATTRIBUTES = struct.Struct(">h")

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
    """Let all consumers of this process read records whose header names are not UTF-8.

    Other clients may send those. In the library such a name fails the poll, and each poll after it loops forever: no
    later record is read. Remove when `test_the_library_fails_on_such_a_name` fails.
    """
    memory_records.DefaultRecordBatch = _LenientRecordBatch


def sendable_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[tuple[str, bytes]]:
    """Convert the headers of a received record to a form that can be sent again: null values become empty.

    The library reads null as the value of a header, but its producer cannot encode it. Remove when
    `test_the_library_sends_no_null_header` fails.
    """
    return [(name, value or b"") for name, value in headers]
