"""Fast reader of CSV files into columns. A column stores each distinct text once, and a number for each row.

The file is read in chunks; from the first chunk with line breaks inside cells on, it is parsed row by row.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from triage.errors import SourceError

_PIECE = 1 << 20
_CHUNK = 4_096
_BOM = b"\xef\xbb\xbf"
_COMMA, _NEWLINE, _QUOTE = b',\n"'


@dataclass(frozen=True, slots=True)
class Column:
    """A column of texts that stores each distinct text once: row i is `texts[codes[i]]`."""

    codes: NDArray[np.int32]
    texts: list[str]


class _Coder:
    """Numbers texts in the order in which they first occur; a column has few distinct ones."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._found: list[NDArray[np.int32]] = []

    def add(self, texts: Sequence[str]) -> None:
        codes = self._codes
        for text in dict.fromkeys(texts):
            codes.setdefault(text, len(codes))
        self._found.append(np.fromiter(map(codes.__getitem__, texts), np.int32, len(texts)))

    def column(self) -> Column:
        return Column(np.concatenate(self._found) if self._found else np.zeros(0, np.int32), list(self._codes))


def coded(texts: Sequence[str]) -> Column:
    """Encode texts as a column with one row per text, in the given order."""
    coder = _Coder()
    coder.add(texts)
    return coder.column()


class ColumnFile:
    """A CSV file in UTF-8. The constructor reads the header (`names`), `read` the rows.

    Raises SourceError, which names the line, for invalid CSV and for a row whose length differs from the header's.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._pieces = _pieces(stream)
        head, _, self._first = next(self._pieces, b"").removeprefix(_BOM).partition(b"\n")
        try:
            self.names = [cell.strip() for cell in next(csv.reader([head.decode().strip("\r")], strict=True), [])]
        except csv.Error as error:
            raise SourceError(f"{name}, line 1: not valid CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise SourceError(f"{name}: not UTF-8: {error}") from error

    def read(self) -> tuple[dict[str, Column], NDArray[np.int64]]:
        """Read the rows of the file. Returns the columns by name, and the line number of each row."""
        coders = [_Coder() for _ in self.names]
        lines = []
        line = 2
        pieces = chain([self._first] if self._first else [], self._pieces)
        try:
            for piece in pieces:
                columns = _columns(piece, len(self.names))
                if columns is None:
                    lines += self._by_row(chain([piece], pieces), line, coders)
                    break
                lines.append(np.arange(line, line + len(columns[0])))
                line += len(columns[0])
                for coder, cells in zip(coders, columns, strict=True):
                    coder.add(cells)
        except UnicodeDecodeError as error:
            raise SourceError(f"{self._name}: not UTF-8: {error}") from error
        found = {name: coder.column() for name, coder in zip(self.names, coders, strict=True)}
        return found, np.concatenate(lines) if lines else np.zeros(0, np.int64)

    def _by_row(self, pieces: Iterator[bytes], line: int, coders: list[_Coder]) -> list[NDArray[np.int64]]:
        reader = csv.reader((text for piece in pieces for text in io.StringIO(piece.decode(), newline="")), strict=True)
        before, found = line - 1, []
        try:
            while rows := [(before + reader.line_num, row) for row in islice(reader, _CHUNK)]:
                # Empty lines are not rows.
                rows = [(at, row) for at, row in rows if row]
                for at, row in rows:
                    if len(row) != len(coders):
                        raise SourceError(f"{self._name}, line {at}: {len(row)} cells, the header has {len(coders)}")
                found.append(np.array([at for at, _ in rows], np.int64))
                for coder, cells in zip(coders, zip(*(row for _, row in rows), strict=True), strict=False):
                    coder.add(cells)
        except csv.Error as error:
            raise SourceError(f"{self._name}, line {before + reader.line_num}: not valid CSV: {error}") from error
        return found


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Read the stream in pieces of about 1 MiB, each of whole lines."""
    open_: list[bytes] = []
    while block := stream.read(_PIECE):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*open_, block[:end]])
            open_ = []
        open_.append(block[end:])
    if rest := b"".join(open_):
        yield rest


def _columns(piece: bytes, columns: int) -> list[list[str]] | None:
    """Split a piece of CSV into cells by column.

    None if a line is not a row of that many cells, or a quote is not around a whole cell: then the piece must be read
    row by row.
    """
    piece = piece.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    if b"\r" in piece:
        return None
    text = np.frombuffer(piece, np.uint8)
    ends = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    if len(ends) % columns:
        return None
    separators = text[ends].reshape(-1, columns)
    if (separators[:, :-1] != _COMMA).any() or (separators[:, -1] != _NEWLINE).any():
        return None
    if b'"' in piece:
        starts = np.concatenate([[0], ends[:-1] + 1])
        opened, closed = text[starts] == _QUOTE, text[ends - 1] == _QUOTE
        quoted = opened & closed & (ends - starts > 1)
        if (opened | closed).sum() != quoted.sum() or piece.count(b'"') != 2 * quoted.sum():
            return None
        piece = piece.replace(b'"', b"")
    cells = piece[:-1].decode().replace("\n", ",").split(",")
    return [cells[column::columns] for column in range(columns)]
