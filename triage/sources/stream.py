"""Opens a file or standard input as a byte stream, unpacks gzip, and refuses other compressed formats with a hint."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, cast

from triage.errors import ConfigError, SourceError

STDIN = "-"
_HEAD = 4
_REFUSED_MAGIC = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet); unpack it, or save it as CSV",
    b"BZh": "bzip2; unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "zstd; unpack it, or pack it with gzip",
    b"\xfd7zX": "xz; unpack it, or pack it with gzip",
}


class ByteStream(Protocol):
    """A source of bytes: `read1` returns up to `size` bytes as soon as any are available, and b"" at the end."""

    def read1(self, size: int) -> bytes: ...


def shown(path: str) -> str:
    """The name of an input in messages: its path, or `<stdin>`."""
    return "<stdin>" if path == STDIN else path


def check_file(path: str) -> None:
    """Raise ConfigError if `path` is not a readable file; called before any file is processed."""
    if path == STDIN:
        return
    try:
        with Path(path).open("rb"):
            pass
    except FileNotFoundError as error:
        raise ConfigError("no such file", where=path) from error
    except IsADirectoryError as error:
        raise ConfigError("is a folder; name its files", where=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=path) from error


@contextmanager
def open_stream(path: str, on_read: Callable[[int], None] | None = None) -> Iterator["Peekable"]:
    """Context manager that opens a file (`-`: standard input) as a byte stream, unpacked if it is gzip.

    `on_read` is called with the number of bytes read from the file itself, before unpacking. Raises ConfigError for a
    file that does not exist or is in an unsupported format.
    """
    check_file(path)
    with nullcontext(sys.stdin.buffer) if path == STDIN else Path(path).open("rb") as file:
        raw = Peekable(cast("ByteStream", file), on_read, where=shown(path))
        _refuse(raw.head(_HEAD), path)
        if not raw.head(_HEAD).startswith(b"\x1f\x8b"):
            yield raw
            return
        with gzip.GzipFile(fileobj=io.BufferedReader(raw)) as unpacked:
            inner = Peekable(unpacked, where=shown(path))
            _refuse(inner.head(_HEAD), path)
            yield inner


class Peekable(io.RawIOBase):
    """A byte stream whose next bytes can be inspected before they are read.

    `on_read` is called with the number of bytes of each chunk read from `stream`.
    """

    def __init__(self, stream: ByteStream, on_read: Callable[[int], None] | None = None, *, where: str) -> None:
        super().__init__()
        self._stream = stream
        self._on_read = on_read
        self._where = where
        self._ahead = b""

    def head(self, size: int) -> bytes:
        """Return the next `size` bytes without consuming them; fewer only at the end of the stream."""
        while len(self._ahead) < size and (more := self._read(65_536)):
            self._ahead += more
        return self._ahead[:size]

    def first_visible(self, most: int = 4096) -> bytes:
        """Return the next byte that is not white space, without consuming it; b"" if the next `most` bytes have none.

        Reads no more of the stream than necessary.
        """
        while not (visible := self._ahead.lstrip()) and len(self._ahead) < most and (more := self._read(65_536)):
            self._ahead += more
        return visible[:1]

    def read1(self, size: int) -> bytes:
        """Read up to `size` bytes, as soon as any are available; b"" at the end.

        Raises SourceError if the file is damaged or can no longer be read.
        """
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._read(size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self.read1(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _read(self, size: int) -> bytes:
        try:
            piece = self._stream.read1(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(f"{self._where}: the gzip data is cut off or damaged: {error}") from error
        except OSError as error:
            raise SourceError(f"{self._where}: cannot be read further: {error.strerror or error}") from error
        if self._on_read is not None:
            self._on_read(len(piece))
        return piece


def _refuse(head: bytes, path: str) -> None:
    for magic, what in _REFUSED_MAGIC.items():
        if head.startswith(magic):
            raise ConfigError(f"this is {what}", where=shown(path))
