"""Window counts of a file as columns, which are read and checked once and written to the output unchanged."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from triage.alerting.backtest.columns import Column, ColumnFile
from triage.errors import SourceError

REQUIRED = ("window_start", "key", "negative")
ADDED = ("expected", "score", "firing", "episode")
_MAX_PROBLEMS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Table:
    """Past counts, one row per window and key, in the order of the file.

    `number` is the number of a row's window, which starts at number * step_ms + phase_ms (ms since the epoch).
    `columns` are all columns as text. `total` is None if the file has no such column, and NaN where a row has no value.
    """

    columns: dict[str, Column]
    step_ms: int
    phase_ms: int
    number: NDArray[np.int64]
    negative: NDArray[np.float64]
    total: NDArray[np.float64] | None

    def __len__(self) -> int:
        return len(self.number)

    @property
    def keys(self) -> Column:
        return self.columns["key"]


def read_table(stream: BinaryIO, name: str, step_s: int | None = None) -> Table:
    """Read a CSV file of counts. Columns with other names are kept for the output.

    `step_s` is the length of a window in seconds; None: the most common difference between windows. Raises SourceError,
    which names the lines, for rows that are not counts, out of order, duplicated or not on a multiple of the step, for
    missing columns, and for a file without rows.
    """
    file = ColumnFile(stream, name)
    _check_header(file.names, name)
    columns, lines = file.read()
    if not len(lines):
        raise SourceError(f"{name} has no rows")
    return build_table(columns, lines, name, step_s)


def build_table(columns: dict[str, Column], lines: NDArray[np.int64], name: str, step_s: int | None) -> Table:
    """Build a table from columns of text, and check it.

    `name` is that of the file and `lines` are the rows' line numbers, for messages. `step_s` is the length of a
    window in seconds; None: the most common difference between windows. Raises SourceError that lists the invalid
    rows.
    """
    problems = _Problems(name, lines)
    start_ms = problems.convert(columns["window_start"], "window_start", _milliseconds, "is not an ISO 8601 time")
    negative = problems.convert(columns["negative"], "negative", _count, "is not a count")
    total = problems.convert(columns["total"], "total", _total, "is not a count") if "total" in columns else None
    problems.raise_any()
    if total is not None:
        for row in np.flatnonzero(total < negative).tolist():
            problems.add(row, f"total {total[row]:g} is less than negative {negative[row]:g}")
    step_ms = _find_step(start_ms.astype(np.int64), columns["key"], step_s, problems)
    problems.raise_any()
    start = start_ms.astype(np.int64)
    given = None if total is None or np.isnan(total).all() else total
    return Table(columns, step_ms, int(start[0] % step_ms), start // step_ms, negative, given)


def _check_header(names: Sequence[str], name: str) -> None:
    missing = [column for column in REQUIRED if column not in names]
    if missing:
        raise SourceError(f"{name}: no column {', '.join(missing)}; the header is window_start,key,negative,total")
    taken = [column for column in (*ADDED, *names) if names.count(column) > (column not in ADDED)]
    if taken:
        raise SourceError(f"{name}: column {', '.join(dict.fromkeys(taken))} is there already")


def _find_step(start_ms: NDArray[np.int64], keys: Column, step_s: int | None, problems: "_Problems") -> int:
    order = np.argsort(keys.codes, kind="stable")
    same = np.flatnonzero(np.diff(keys.codes[order]) == 0)
    passed = np.diff(start_ms[order])[same]
    later = order[same + 1]
    for row, difference in zip(later[passed <= 0].tolist(), passed[passed <= 0].tolist(), strict=True):
        problem = "is there twice" if difference == 0 else "is earlier than the row before it"
        problems.add(row, f"the window of key {keys.texts[keys.codes[row]]!r} {problem}")
    if step_s is not None:
        step_ms = step_s * 1000
    else:
        found, times = np.unique(passed[passed > 0], return_counts=True)
        if not len(found):
            problems.add(0, "no key has two windows, so their length is not known: give --step")
            return 1
        step_ms = int(found[np.argmax(times)])
    off = np.flatnonzero((passed > 0) & (passed % step_ms != 0))
    for row, difference in zip(later[off].tolist(), passed[off].tolist(), strict=True):
        problems.add(
            row, f"{difference / 1000:g} s after the key's row before it, not a multiple of {step_ms / 1000:g} s"
        )
    return step_ms


class _Problems:
    """Collects the problems of rows for one message."""

    def __init__(self, name: str, lines: NDArray[np.int64]) -> None:
        self._name = name
        self._lines = lines
        self._found: list[tuple[int, str]] = []

    def add(self, row: int, text: str) -> None:
        self._found.append((int(self._lines[row]), text))

    def convert(
        self, column: Column, name: str, parse: Callable[[str], float | None], problem: str
    ) -> NDArray[np.float64]:
        values = np.empty(len(column.texts))
        for code, text in enumerate(column.texts):
            value = parse(text.strip())
            if value is None:
                values[code] = math.nan
                for row in np.flatnonzero(column.codes == code).tolist()[:_MAX_PROBLEMS]:
                    self.add(row, f"{name} {text!r} {problem}")
            else:
                values[code] = value
        return values[column.codes]

    def raise_any(self) -> None:
        if not self._found:
            return
        found = sorted(self._found)
        shown = [f"\n  line {line}: {text}" for line, text in found[:_MAX_PROBLEMS]]
        more = f"\n  ... and {len(found) - _MAX_PROBLEMS} more" if len(found) > _MAX_PROBLEMS else ""
        raise SourceError(f"{self._name}: {len(found)} bad rows" + "".join(shown) + more)


def _milliseconds(text: str) -> float | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
    return float((parsed - _EPOCH) // timedelta(milliseconds=1))


def _count(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _total(text: str) -> float | None:
    return math.nan if not text else _count(text)
