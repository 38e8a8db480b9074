"""Reads text files and their rows: CSV and JSON lines, plain or packed by gzip, xz or bzip2, each row with its line."""

import bz2
import csv
import io
import json
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.decoding import DecodeError, decoded
from triage.sources.csv_records import delimiter_of
from triage.sources.encodings import SAMPLE_BYTES, encoding_by_mark, guess_encoding

MAX_BYTES = 64 * 1024 * 1024
_UNPACKERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"\xfd7zXZ\x00": lzma.LZMADecompressor,
    b"BZh": bz2.BZ2Decompressor,
}
_EAST_ASIAN = frozenset({"gb18030", "big5", "cp932"})


class UnreadableTextError(Exception):
    """A file that cannot be read as text; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Row:
    """A row of a file with its line, which counts from 1: its fields by name, or None and `problem`, the reason."""

    line: int
    fields: Mapping[str, Any] | None
    problem: str = ""


def read_text(path: Path) -> str:
    """The text of a file of at most 64 MiB, unpacked, with line ends as LF. Raises UnreadableTextError.

    It may be UTF-8, UTF-16 or UTF-32 with or without a mark, or GB18030, Big5 or Shift-JIS, as office programs save.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise UnreadableTextError(1, f"cannot be read: {error.strerror}") from error
    if (start := next((each for each in _UNPACKERS if content.startswith(each)), None)) is not None:
        packed = _UNPACKERS[start]()
        try:
            content = packed.decompress(content, MAX_BYTES + 1)
        except (zlib.error, lzma.LZMAError, OSError) as error:
            raise UnreadableTextError(1, f"is packed, but not readable: {error}") from error
        if not packed.eof and len(content) <= MAX_BYTES:
            raise UnreadableTextError(1, "is packed, but not readable: its end is missing")
        size = len(content)
    if size > MAX_BYTES:
        raise UnreadableTextError(1, f"has {size} bytes; {MAX_BYTES} at most: split the file")
    return _decoded(content).replace("\r\n", "\n")


def _decoded(content: bytes) -> str:
    marked = encoding_by_mark(content[:4])
    try:
        return content.decode(marked or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        guessed = guess_encoding(content[:SAMPLE_BYTES]) if marked is None else marked
        if guessed in _EAST_ASIAN:
            with suppress(UnicodeDecodeError):
                return content.decode(guessed)
        # Any bytes are valid in the encodings of western Europe: a guess might be wrong.
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableTextError(line, "is not UTF-8: save it as UTF-8") from error


def kind_of(path: Path) -> str:
    """The ending that says how a file is read; that of `articles.jsonl.bz2` is `.jsonl`."""
    name = path.name.lower()
    return Path(name.removesuffix(".gz").removesuffix(".xz").removesuffix(".bz2")).suffix


def csv_rows(text: str) -> Iterator[Row]:
    """Rows of CSV text with a header, empty ones left out; the delimiter is a comma, semicolon, tab or bar."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    rows, skipped = _csv_reader(text)
    header: list[str] = []
    before = skipped
    try:
        for row in rows:
            line, before = before + 1, rows.line_num + skipped
            if not header:
                header = row
            elif any(cell.strip() for cell in row):
                yield Row(line, dict(zip(header, row, strict=False)))
    except csv.Error as error:
        yield Row(before + 1, None, f"the row that begins here is not valid CSV: {error}; is a quote left open?")


def csv_header(text: str) -> list[str]:
    """The names of the columns of CSV text; [] if it has none, or if they are not valid CSV."""
    with suppress(csv.Error):
        return next((row for row in _csv_reader(text)[0] if row), [])
    return []


def _csv_reader(text: str) -> tuple[Any, int]:
    """A reader of the table, and the number of lines before it, which only name the delimiter."""
    first, _, rest = text.partition("\n")
    delimiter, named = delimiter_of(first)
    return csv.reader(io.StringIO(rest if named else text, newline=""), delimiter=delimiter, strict=True), int(named)


def json_rows(text: str) -> Iterator[Row]:
    """Rows of JSON lines, empty lines left out; a line that is not a JSON object gives a row with the problem."""
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        try:
            item = decoded(json.loads, row)
        except DecodeError as error:
            yield Row(line, None, f"is not valid JSON: {error}")
        else:
            fields = item if isinstance(item, Mapping) else None
            yield Row(line, fields, "" if fields is not None else "the line must be a JSON object")


ROW_READERS: dict[str, Callable[[str], Iterator[Row]]] = {".csv": csv_rows, ".jsonl": json_rows, ".ndjson": json_rows}
