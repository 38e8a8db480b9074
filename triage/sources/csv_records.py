"""Reads CSV records with their line numbers, in bounded memory, and continues after an invalid record."""

import csv
import re
from collections import deque
from collections.abc import Iterator

from triage.errors import InvalidRecord
from triage.sources.lines import Line

_DELIMITERS = ",;\t|"
# What Excel writes and reads to name the delimiter.
_SEP_LINE = re.compile(r'"?sep=([\x09\x20-\x7e])"?[,;\t]*', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def delimiter_of(first: str) -> tuple[str, bool]:
    """The delimiter of a table by its first line, and whether this line only names it, as Excel's `sep=;` does."""
    if match := _SEP_LINE.fullmatch(first.rstrip("\r")):
        return match[1], True
    # Quoted names may hold any of them.
    header = _QUOTED.sub("", first)
    return max(_DELIMITERS, key=header.count), False


class CsvRecords:
    """An iterator over the records of a CSV file: (line number, fields), or InvalidRecord for an invalid one.

    The format is RFC 4180, with any of `,` `;` tab `|` as delimiter. If a record is invalid (an open quote, bytes that
    are not UTF-8, more than `max_bytes`), only its first line is lost and reading continues with the next line, so that
    one stray quote does not consume the rest of the file.
    """

    def __init__(
        self, lines: Iterator[Line], max_bytes: int, delimiter: str | None = None, encoding: str = "utf-8"
    ) -> None:
        """Read records of at most `max_bytes` from `lines`, which are UTF-8 already; `encoding` is that of the file.

        Without a `delimiter` it is guessed from the first line.
        """
        self._lines = lines
        self._max_bytes = max_bytes
        self._pushed_back: deque[Line] = deque()
        self._taken: list[Line] = []
        self._size = 0
        self._bad_bytes: InvalidRecord | None = None
        self._encoding = encoding
        self.delimiter = delimiter = self._delimiter(delimiter)
        # The limit is global to the process, so it is only raised.
        csv.field_size_limit(max(csv.field_size_limit(), max_bytes))
        self._reader = csv.reader(_Lines(self), delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[tuple[int, list[str] | InvalidRecord]]:
        while True:
            self._start()
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except _TooLongError as error:
                yield self._skip_record("too_long", str(error))
                continue
            except csv.Error as error:
                yield self._skip_record("bad_csv", _explain(error, self._taken[0].number))
                continue
            if self._bad_bytes is not None:
                yield self._taken[0].number, self._bad_bytes
            elif fields:
                yield self._taken[0].number, fields

    def next_line(self) -> str:
        """Return the next line, decoded, for the parser of `csv`. Raises StopIteration at the end."""
        line = self._pushed_back.popleft() if self._pushed_back else next(self._lines)
        self._taken.append(line)
        self._size += len(line.data) + line.dropped + 1
        if self._size > self._max_bytes:
            where = "" if len(self._taken) == 1 else f" with line {line.number}; is a quote left open?"
            raise _TooLongError(f"the row exceeds {self._max_bytes} bytes{where}")
        try:
            return line.data.decode("utf-8") + "\n"
        except UnicodeDecodeError as error:
            if self._bad_bytes is None:
                self._bad_bytes = _not_encoded(line, error, self._encoding)
            return line.data.decode("utf-8", "replace") + "\n"

    def _start(self) -> None:
        self._taken, self._size, self._bad_bytes = [], 0, None

    def _skip_record(self, reason: str, message: str) -> tuple[int, InvalidRecord]:
        first, *later = self._taken
        self._pushed_back.extendleft(reversed(later))
        return first.number, InvalidRecord(reason, message, stage="decode")

    def _delimiter(self, given: str | None) -> str:
        """Return the delimiter: the given one, that of a first line `sep=;`, or the most frequent one in the header."""
        first = next(self._lines, None)
        if first is None:
            return given or ","
        found, named = delimiter_of(first.data.decode("utf-8", "replace"))
        if not named:
            self._pushed_back.append(first)
        return given or found


class _TooLongError(Exception):
    pass


class _Lines:
    """An iterator over decoded lines that, unlike a generator, can continue after it has raised."""

    def __init__(self, records: CsvRecords) -> None:
        self._records = records

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._records.next_line()


def _not_encoded(line: Line, error: UnicodeDecodeError, encoding: str) -> InvalidRecord:
    if encoding != "utf-8":
        return InvalidRecord(
            "not_utf8",
            f"line {line.number} holds bytes that are not {encoding}; name the file's own encoding: --encoding",
            stage="decode",
        )
    return InvalidRecord(
        "not_utf8",
        f"line {line.number}, byte {error.start + 1} is not UTF-8 (0x{line.data[error.start]:02x}); "
        "save the file as UTF-8",
        stage="decode",
    )


def _explain(error: csv.Error, line: int) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return f"a quote is opened in line {line} and never closed"
    if "expected after" in text:
        return 'text follows a closing quote; a quote inside a quoted field is written twice ("")'
    if "new-line character" in text:
        return "a bare carriage return; save the file with LF or CRLF line ends"
    return f"not CSV: {text}"
