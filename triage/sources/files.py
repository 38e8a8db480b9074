"""Reads the rows of CSV and JSONL files, for `triage ingest` and `triage enrich`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Literal, cast

from triage.clock import Clock
from triage.errors import ConfigError, InvalidRecord
from triage.schemas.event_time import TimeForm
from triage.schemas.raw import decode_object
from triage.sources.csv_records import CsvRecords
from triage.sources.documents import document_problem
from triage.sources.encodings import SAMPLE_BYTES, Transcoder, check_encoding, encoding_by_mark, guess_encoding
from triage.sources.header import Column, plan_columns, recognized
from triage.sources.lines import Line, read_lines
from triage.sources.notes import FileNotes
from triage.sources.presets import Preset
from triage.sources.rows import Row, RowBuilder, ZoneOf, from_cells
from triage.sources.stream import STDIN, ByteStream, Peekable, open_stream, shown
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
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_DELIMITER_NAMES = {"\t": "tab"}


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
    encoding: str | None = None,
    delimiter: str | None = None,
    preset: Preset | None = None,
    time_form: TimeForm | None = None,
    zone_of: ZoneOf | None = None,
    notes: FileNotes | None = None,
    on_columns: Callable[[Sequence[Column]], None] | None = None,
) -> Iterator[Row]:
    """Yield every row of a file (`-`: standard input), valid or refused, in order and in bounded memory.

    `format` is csv or jsonl, by default detected from the name or the content; gzip is unpacked, a byte order mark is
    skipped. `encoding` and `delimiter` (a character, or tab, comma, semicolon, pipe) are guessed if not given.
    `columns` maps raw fields to the names in the file: `{"text": "comment"}`; `preset` provides them for a known
    source; `channel`, `time_form` and `zone_of` are those of `RowBuilder`. With a `clock`, rows more than
    `max_future_hours` in the future are refused. `on_read` is called with the number of bytes read from the file,
    before unpacking; `on_columns` with the columns of a table. `notes` reports what was guessed, recognized and left
    out.

    Raises ConfigError for a file that does not exist, has an unknown format or no column `text`; SourceError for a
    damaged file.
    """
    if format not in {None, "csv", "jsonl"}:
        raise ConfigError(f"--format is csv or jsonl, not {format!r}")
    name = shown(path)
    notes = notes or FileNotes()
    encoding = check_encoding(encoding) if encoding else None
    delimiter = _one_character(delimiter) if delimiter else None
    if preset is not None:
        encoding = encoding or preset.encoding
        time_form = preset.time_form(time_form)
    rows = RowBuilder(
        name,
        channel,
        columns,
        clock,
        max_future_hours,
        max_text_chars,
        presets=preset.columns if preset else None,
        constants={"source": preset.source} if preset else None,
        default_channel=preset.channel if preset else Channel.COMPLAINT,
        time_form=time_form,
        zone_of=zone_of,
        notes=notes,
    )
    with open_stream(path, on_read) as packed:
        stream, encoding = _as_utf8(path, packed, encoding, format, notes)
        kind, by_name = _kind(path, stream) if format is None else (format, _delimiter(path))
        if kind == "jsonl":
            if path != STDIN and (problem := document_problem(stream.head(SAMPLE_BYTES), name)):
                raise ConfigError(problem, where=name)
            yield from _jsonl_rows(read_lines(stream, max_line_bytes), rows, max_line_bytes)
            return
        delimiter = delimiter or (preset.delimiter if preset else None) or by_name
        records = CsvRecords(read_lines(stream, max_line_bytes), max_line_bytes, delimiter, encoding)
        if delimiter is None and records.delimiter != ",":
            as_shown = _DELIMITER_NAMES.get(records.delimiter, records.delimiter)
            notes.once(name, "delimiter", f"the delimiter is {as_shown!r} by its first line; --delimiter names another")
        table = _Table(name, columns or {}, preset, notes, on_columns)
        yield from table.rows(records, rows.for_table())


def _as_utf8(
    path: str, packed: Peekable, encoding: str | None, kind: str | None, notes: FileNotes
) -> tuple[Peekable, str]:
    """Return the stream converted to UTF-8, without a byte order mark, and the encoding of the file."""
    name = shown(path)
    marked = encoding_by_mark(packed.head(4))
    if encoding is None and marked is None and path != STDIN and _is_table(path, packed, kind):
        encoding = guess_encoding(packed.head(SAMPLE_BYTES))
        if encoding != "utf-8":
            notes.once(name, "encoding", f"the encoding looks like {encoding}; --encoding names another")
    elif encoding is None and marked not in {None, "utf-8"}:
        notes.once(name, "encoding", f"the encoding is {marked}")
    if marked is not None and (encoding is None or encoding.startswith(("utf-16", "utf-32"))):
        encoding = marked
    encoding = encoding or "utf-8"
    if encoding in {"utf-8", "utf-8-sig", "ascii"}:
        if packed.head(len(_BOM)) == _BOM:
            packed.read1(len(_BOM))
        return packed, "utf-8"
    stream = Peekable(cast("ByteStream", Transcoder(packed, encoding)), where=name)
    if stream.head(len(_BOM)) == _BOM:
        stream.read1(len(_BOM))
    return stream, encoding


def _is_table(path: str, stream: Peekable, kind: str | None) -> bool:
    if kind is None:
        suffixes = PurePath(path.removesuffix(".gz")).suffixes
        kind = _BY_NAME.get(suffixes[-1].lower() if suffixes else "", (None, None))[0]
    return kind == "csv" or (kind is None and stream.first_visible() not in {b"{", b"["})


def _kind(path: str, stream: Peekable) -> tuple[FileFormat, str | None]:
    suffixes = PurePath(path.removesuffix(".gz")).suffixes
    if suffixes and suffixes[-1].lower() in _BY_NAME:
        return _BY_NAME[suffixes[-1].lower()]
    start = stream.first_visible()
    if start == b"[":
        name = shown(path)
        raise ConfigError(f"this is a JSON array; make it one object a line: jq -c '.[]' {name}", where=name)
    return ("jsonl" if start == b"{" else "csv"), None


def _delimiter(path: str) -> str | None:
    return "\t" if path.removesuffix(".gz").lower().endswith(".tsv") else None


def _one_character(delimiter: str) -> str:
    character = _DELIMITERS.get(delimiter.lower(), delimiter)
    if len(character) != 1 or character in '"\r\n' or ord(character) > 127:
        raise ConfigError(f"--delimiter is one character, or tab, comma, semicolon or pipe, not {delimiter!r}")
    return character


def _jsonl_rows(lines: Iterator[Line], rows: RowBuilder, max_bytes: int) -> Iterator[Row]:
    for line in lines:
        if line.dropped:
            message = f"the line has {line.dropped} bytes; at most {max_bytes} fit"
            yield rows.refused(line.number, InvalidRecord("too_long", message, stage="decode"))
        elif line.data.strip():
            yield rows.build(line.number, partial(decode_object, line.data))


class _Table:
    """A CSV file as a table: its header decides which field of a row each cell becomes."""

    def __init__(
        self,
        name: str,
        mapped: Mapping[str, str],
        preset: Preset | None,
        notes: FileNotes,
        on_columns: Callable[[Sequence[Column]], None] | None,
    ) -> None:
        self._name = name
        self._mapped = mapped
        self._preset = preset
        self._notes = notes
        self._on_columns = on_columns

    def rows(self, records: CsvRecords, rows: RowBuilder) -> Iterator[Row]:
        keys: list[str] | None = None
        for line, cells in records:
            if keys is None:
                if isinstance(cells, InvalidRecord):
                    raise ConfigError(f"the header cannot be read: {cells}", where=f"{self._name}:{line}") from cells
                keys = self._keys(cells)
            elif isinstance(cells, InvalidRecord):
                yield rows.refused(line, cells)
            else:
                yield rows.build(line, partial(from_cells, keys, cells))

    def _keys(self, cells: Sequence[str]) -> list[str]:
        columns = plan_columns(cells, self._name, self._mapped, self._preset.columns if self._preset else None)
        if found := recognized(columns):
            self._notes.once(self._name, "recognized", f"read by their names: {', '.join(found)}")
        for column in columns:
            if column.note and column.fate not in {"field", "dropped"}:
                self._notes.once(self._name, f"column {column.name}", f"column {column.name!r}: {column.note}")
        if self._on_columns is not None:
            self._on_columns(columns)
        return [column.key for column in columns]
