"""Splits a byte stream into lines, in bounded memory."""

from collections.abc import Iterator
from typing import NamedTuple

from triage.sources.stream import ByteStream

_CHUNK = 65_536


class Line(NamedTuple):
    """A physical line of a file: its number, from 1, and its bytes without the newline.

    If the line was too long, `data` is empty and `dropped` is its length in bytes.
    """

    number: int
    data: bytes
    dropped: int = 0


def read_lines(stream: ByteStream, max_bytes: int) -> Iterator[Line]:
    """Yield the lines of a stream as they arrive. The content of a line longer than `max_bytes` is dropped."""
    number, size = 1, 0
    pending: list[bytes] = []
    while chunk := stream.read1(_CHUNK):
        *complete, rest = chunk.split(b"\n")
        for piece in complete:
            size += len(piece)
            yield Line(number, b"", size) if size > max_bytes else Line(number, b"".join([*pending, piece]))
            number, pending, size = number + 1, [], 0
        if rest:
            size += len(rest)
            if size <= max_bytes:
                pending.append(rest)
            else:
                pending = []
    if size:
        yield Line(number, b"", size) if size > max_bytes else Line(number, b"".join(pending))
