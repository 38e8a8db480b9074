"""State of the spike detector: two arrays with one column per key, and the serialized state of a single key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection.verdicts import Floats

_VERSION = 3
# The state before high scores had an echo, and that before rules had budgets; `Added` has what they lack.
_BEFORE_ECHO, _BEFORE_BUDGETS = 2, 1
_FIRST_CAPACITY = 16


class Layout:
    """Names the rows of the detector's state array, in which each column is a key.

    `slices` maps a name to its rows: one for a scalar, several for a ring buffer or a list of sums. `rows` is their
    total number.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.slices: dict[str, slice] = {}
        at = 0
        for name, size in sizes.items():
            self.slices[name] = slice(at, at + size)
            at += size
        self.rows = at


@dataclass(frozen=True, slots=True)
class Added:
    """Rows that stored state of earlier versions lacks, all at the end of the state array.

    Version 3 added the last `echo` rows. Version 2 added the `rows` before them, and `tables`, a slice of the rows of
    the season tables.
    """

    rows: int
    tables: slice
    echo: int = 0


class KeyStates:
    """The state of all keys of a detector: a float64 array, and a float32 array of season tables; one column per key.

    `names` are the keys in the order of the columns, `index` maps each key to its column. A new key starts with the
    values in `blank`.
    """

    def __init__(self, layout: Layout, table_rows: int, blank: Floats, added: Added | None = None) -> None:
        self.layout = layout
        self._added = added or Added(0, slice(0, 0))
        self.names: list[str] = []
        self.index: dict[str, int] = {}
        self._blank = blank
        self._table_rows = table_rows
        self._values: Floats = np.zeros((layout.rows, _FIRST_CAPACITY))
        self._tables: NDArray[np.float32] = np.zeros((table_rows, _FIRST_CAPACITY), np.float32)

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, name: str) -> Floats:
        """View of the named part of the detector's state, of shape (rows of the part, keys)."""
        return self._values[self.layout.slices[name], : len(self.names)]

    def row(self, name: str) -> Floats:
        """View of the named part of the detector's state if it has one row, of shape (keys,)."""
        found: Floats = self._values[self.layout.slices[name].start, : len(self.names)]
        return found

    def tables(self) -> NDArray[np.float32]:
        """View of the tables of all seasons, of shape (table rows, keys)."""
        return self._tables[:, : len(self.names)]

    def locate(self, keys: Sequence[str]) -> NDArray[np.intp]:
        """Return the column numbers of the keys, in the order of `keys`; unknown keys are added."""
        index = self.index
        try:
            return np.fromiter(map(index.__getitem__, keys), np.intp, len(keys))
        except KeyError:
            for key in keys:
                if key not in index:
                    self._add(key)
            return np.fromiter(map(index.__getitem__, keys), np.intp, len(keys))

    def forget(self, key: str) -> None:
        """Remove a key if it is known; the key of the last column moves into its column."""
        column = self.index.pop(key, None)
        if column is None:
            return
        last = self.names.pop()
        if last != key:
            self.names[column] = last
            self.index[last] = column
            self._values[:, column] = self._values[:, len(self.names)]
            self._tables[:, column] = self._tables[:, len(self.names)]

    def dump(self, keys: Sequence[str], step: int) -> list[bytes]:
        """Serialize the states of `keys`, in their order, each with `step`, the last step that it includes.

        Raises KeyError for an unknown key.
        """
        columns = [self.index[key] for key in keys]
        head = np.array([_VERSION, self.layout.rows, self._table_rows, step], "<i8").tobytes()
        # A key's state is spread over the whole array: of many keys at once it is read in a tenth of the time.
        values = np.ascontiguousarray(self._values[:, columns].T, "<f8")
        tables = np.ascontiguousarray(self._tables[:, columns].T, "<f4")
        return [head + own.tobytes() + of_seasons.tobytes() for own, of_seasons in zip(values, tables, strict=True)]

    def load(self, key: str, state: bytes) -> int:
        """Set a key's state from the bytes of `dump`; returns the number of the last step that it includes.

        Raises ValueError for a state from another version, step length or setting.
        """
        head = np.frombuffer(state[:32], "<i8") if len(state) >= 32 else np.zeros(4, "<i8")
        version, rows, table_rows = (int(part) for part in head[:3])
        gap, before_echo = self._added.tables, self.layout.rows - self._added.echo
        wanted = {
            _VERSION: (self.layout.rows, self._table_rows),
            _BEFORE_ECHO: (before_echo, self._table_rows),
            _BEFORE_BUDGETS: (before_echo - self._added.rows, self._table_rows - (gap.stop - gap.start)),
        }
        if wanted.get(version) != (rows, table_rows) or len(state) != 32 + 8 * rows + 4 * table_rows:
            raise ValueError(f"the state of key {key!r} is of another version, step or setting of the detector")
        column = int(self.locate([key])[0])
        middle = 32 + 8 * rows
        tables = np.frombuffer(state[middle:], "<f4")
        if version == _BEFORE_BUDGETS:
            tables = np.insert(tables, gap.start, np.zeros(gap.stop - gap.start, np.float32))
        self._values[:, column] = self._blank
        self._values[:rows, column] = np.frombuffer(state[32:middle], "<f8")
        self._tables[:, column] = tables
        return int(head[3])

    def _add(self, key: str) -> None:
        column = len(self.names)
        capacity = self._values.shape[1]
        if column == capacity:
            self._values = np.concatenate([self._values, np.zeros_like(self._values)], axis=1)
            self._tables = np.concatenate([self._tables, np.zeros_like(self._tables)], axis=1)
        self.names.append(key)
        self.index[key] = column
        self._values[:, column] = self._blank
        self._tables[:, column] = 0
