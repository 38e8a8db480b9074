"""Rows of CSV and JSONL files, for `triage ingest` and `triage enrich`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any, Literal

import msgspec

from triage.clock import Clock
from triage.errors import ConfigError, InvalidRecord
from triage.schemas.raw import parse_raw
from triage.sources.csv_records import CsvRecords
from triage.sources.lines import Line, read_lines
from triage.sources.rows import Row, RowBuilder, from_cells
from triage.sources.stream import Peekable, open_stream, shown
from triage.types import Channel

FileFormat = Literal["csv", "jsonl"]
MAX_LINE_BYTES = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_BY_NAME: dict[str, tuple[FileFormat, str | None]] = {
    ".csv": ("csv", None),
    ".tsv": ("csv", "\t"),
    ".jsonl": ("jsonl", None),
    ".ndjson": ("jsonl", None),
}


def read_rows(
    path: str,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag
    channel: Channel | None = None,
    columns: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    max_future_hours: float = 24,
    max_text_chars: int = 20_000,
    max_line_bytes: int = MAX_LINE_BYTES,
    on_read: Callable[[int], None] | None = None,
) -> Iterator[Row]:
    """Every row of a file (`-`: standard input), valid or refused, in order and in bounded memory.

    `format` is csv or jsonl, by default detected from the name or the content; gzip is unpacked, a UTF-8 byte order
    mark is skipped. `columns` maps raw fields to the file's own names: `{"text": "comment"}`. With a `clock`, rows from
    more than `max_future_hours` ahead are refused. `on_read` is called with the number of bytes read from the file,
    before unpacking.

    Raises ConfigError for a file that does not exist, is in no known format, or has no column `text`; SourceError if it
    turns out to be damaged.
    """
    if format not in {None, "csv", "jsonl"}:
        raise ConfigError(f"--format is csv or jsonl, not {format!r}")
    name = shown(path)
    rows = RowBuilder(name, channel, columns, clock, max_future_hours, max_text_chars)
    with open_stream(path, on_read) as stream:
        if stream.head(len(_BOM)) == _BOM:
            stream.read1(len(_BOM))
        kind, delimiter = _kind(path, stream) if format is None else (format, _delimiter(path))
        lines = read_lines(stream, max_line_bytes)
        if kind == "csv":
            yield from _csv_rows(CsvRecords(lines, max_line_bytes, delimiter), rows, name, columns or {})
        else:
            yield from _jsonl_rows(lines, rows, max_line_bytes)


def _kind(path: str, stream: Peekable) -> tuple[FileFormat, str | None]:
    suffixes = PurePath(path.removesuffix(".gz")).suffixes
    if suffixes and suffixes[-1].lower() in _BY_NAME:
        return _BY_NAME[suffixes[-1].lower()]
    start = stream.first_visible()
    if start == b"[":
        raise ConfigError("this is a JSON array; make it one object a line: jq -c '.[]'", where=shown(path))
    return ("jsonl" if start == b"{" else "csv"), None


def _delimiter(path: str) -> str | None:
    return "\t" if path.removesuffix(".gz").lower().endswith(".tsv") else None


def _jsonl_rows(lines: Iterator[Line], rows: RowBuilder, max_bytes: int) -> Iterator[Row]:
    for line in lines:
        if line.dropped:
            message = f"the line has {line.dropped} bytes; at most {max_bytes} fit"
            yield rows.refused(line.number, InvalidRecord("too_long", message, stage="decode"))
        elif line.data.strip():
            yield rows.build(line.number, partial(_object, line.data))


def _object(data: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        decoded = None
    if not isinstance(decoded, dict):
        parse_raw(data)
        raise InvalidRecord("not_json", "not JSON", stage="decode")
    return decoded


def _csv_rows(records: CsvRecords, rows: RowBuilder, name: str, columns: Mapping[str, str]) -> Iterator[Row]:
    names: list[str] | None = None
    for line, cells in records:
        if names is None:
            if isinstance(cells, InvalidRecord):
                raise ConfigError(f"the header cannot be read: {cells}", where=f"{name}:{line}") from cells
            names = _header(cells, name, columns)
        elif isinstance(cells, InvalidRecord):
            yield rows.refused(line, cells)
        else:
            yield rows.build(line, partial(from_cells, names, cells))


def _header(cells: list[str], name: str, columns: Mapping[str, str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    # An unnamed column is what data frames write for their index.
    present = [each for each in names if each]
    found = ", ".join(present) or "none"
    problems = [
        f"no column {column!r}, which --column names for {field}; the file has: {found}"
        for field, column in columns.items()
        if column not in present
    ]
    if repeated := sorted({each for each in present if present.count(each) > 1}):
        problems.append(f"more than one column is called {', '.join(repeated)}")
    if "text" not in present and "text" not in columns:
        guess = next((each for each in present if each.lower() == "text"), "NAME")
        problems.append(
            f"no column 'text'; the file has: {found}. Name the one that holds the feedback: --column text={guess}"
        )
    if problems:
        raise ConfigError(problems, where=name)
    # A column that bears the name of a mapped field would otherwise be its second value.
    return ["" if each in columns and each not in columns.values() else each for each in names]
