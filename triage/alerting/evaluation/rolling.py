"""Counts per key over the latest steps, as arrays; a rule's window is a sum over some of their columns. Pure."""

import zlib
from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_START_ROWS = 16
_BLANK = (0, 0, 0, np.nan)


class RollingCounts:
    """Counts of each key in the last `steps` steps of `step_ms`: negatives, all records, late ones, expected negatives.

    Arrays are of shape (keys, steps): `rows` maps each key to its row. The caller maintains `volume` (keys,): each
    key's discounted number of records. `turns`, of the same shape, has a checksum of each key; it spreads evenly what
    is done with some keys at each step.
    """

    def __init__(self, steps: int, step_ms: int) -> None:
        self.rows: dict[str, int] = {}
        self.dimensions: dict[str, dict[str, str]] = {}
        self.last_ms: int | None = None
        self.steps = steps
        self.keys: list[str] = [""] * _START_ROWS
        self._step_ms = step_ms
        self._free = deque(range(_START_ROWS))
        self._numbers: NDArray[np.intp] | None = None
        self.negative, self.total, self.late = (np.zeros((_START_ROWS, steps), np.int64) for _ in range(3))
        self.expected = np.full((_START_ROWS, steps), np.nan)
        self.volume = np.zeros(_START_ROWS)
        self.turns = np.zeros(_START_ROWS, np.int64)

    def begin(self, start_ms: int) -> None:
        """Start a new latest step, which begins at `start_ms`, with zero counts for all keys."""
        passed = self.steps if self.last_ms is None else (start_ms - self.last_ms) // self._step_ms
        for back in range(min(passed, self.steps)):
            column = self._column(start_ms - back * self._step_ms)
            for array, blank in zip(self._arrays(), _BLANK, strict=True):
                array[:, column] = blank
        self.last_ms = start_ms

    def keeps(self, start_ms: int) -> bool:
        """True if the step that starts at `start_ms` is among the last `steps`, so that counts can still be added."""
        return self.last_ms is not None and 0 <= self.last_ms - start_ms < self.steps * self._step_ms

    def add(self, key: str, start_ms: int, negative: int, total: int, late: int = 0) -> None:
        """Add `negative` of `total` records, `late` of which came after the step was evaluated, to a key's step.

        `start_ms` is the start of the step. Keys without a row and steps that are no longer kept are ignored.
        """
        row = self.rows.get(key)
        if row is None or not self.keeps(start_ms):
            return
        column = self._column(start_ms)
        self.negative[row, column] += negative
        self.total[row, column] += total
        self.late[row, column] += late

    def add_to_last(self, rows: NDArray[np.intp], negative: NDArray[np.float64], total: NDArray[np.float64]) -> None:
        """Add counts for the latest step to the array rows `rows`, each given once, and their records to the volume."""
        assert self.last_ms is not None
        column = self._column(self.last_ms)
        self.negative[rows, column] += negative.astype(np.int64)
        self.total[rows, column] += total.astype(np.int64)
        self.volume[rows] += total

    def admit(self, key: str, dimensions: Mapping[str, str]) -> int:
        """Return the row of a key in the arrays; a new key gets an empty row."""
        if key in self.rows:
            return self.rows[key]
        if not self._free:
            self._grow()
        row = self._free.popleft()
        self._numbers = None
        self.rows[key], self.keys[row], self.dimensions[key] = row, key, dict(dimensions)
        self.turns[row] = zlib.crc32(key.encode())
        return row

    def drop(self, key: str) -> None:
        row = self.rows.pop(key)
        self._numbers = None
        del self.dimensions[key]
        for array, blank in zip(self._arrays(), _BLANK, strict=True):
            array[row] = blank
        self.volume[row] = 0.0
        self._free.append(row)

    def take_over(self, other: "RollingCounts") -> None:
        """Copy the latest steps of another instance for all keys that have a row in this one."""
        self.last_ms = other.last_ms
        if other.last_ms is None:
            return
        steps = min(self.steps, other.steps)
        mine, theirs = self.columns(steps), other.columns(steps)
        for key, row in self.rows.items():
            if key in other.rows:
                for to, of in zip(self._arrays(), other._arrays(), strict=True):  # noqa: SLF001
                    to[row, mine] = of[other.rows[key], theirs]

    @property
    def row_numbers(self) -> NDArray[np.intp]:
        """Numbers of the array rows that belong to a key, in the order of `rows`."""
        if self._numbers is None:
            self._numbers = np.fromiter(self.rows.values(), np.intp, len(self.rows))
        return self._numbers

    def columns(self, steps: int) -> NDArray[np.intp]:
        """Array columns of the last `steps` time steps, oldest first, of shape (steps,)."""
        assert self.last_ms is not None
        last = self.last_ms // self._step_ms
        return np.arange(last - steps + 1, last + 1) % self.steps

    def note_expected(self, rows: NDArray[np.intp], expected: NDArray[np.float64]) -> None:
        """Store the expected negatives of these rows for the latest step; both arrays have the same length."""
        assert self.last_ms is not None
        self.expected[rows, self._column(self.last_ms)] = expected

    def _column(self, start_ms: int) -> int:
        return start_ms // self._step_ms % self.steps

    def _arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        return self.negative, self.total, self.late, self.expected

    def _grow(self) -> None:
        size = len(self.negative)
        self._free = deque(range(size, 2 * size))
        self.keys += [""] * size
        self.negative, self.total, self.late = (
            np.concatenate([array, np.zeros_like(array)]) for array in (self.negative, self.total, self.late)
        )
        self.expected = np.concatenate([self.expected, np.full_like(self.expected, np.nan)])
        self.volume = np.concatenate([self.volume, np.zeros_like(self.volume)])
        self.turns = np.concatenate([self.turns, np.zeros_like(self.turns)])
