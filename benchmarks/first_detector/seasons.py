"""Multiplicative tables of seasons: factors of the level by position in the day, week or year."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_detector.calendar import Position, Season
from triage.alerting.detection.verdicts import Floats

Tables = NDArray[np.float32]


class SeasonTables:
    """Reads and writes factors f = (counts + n0) / (expected without f + n0), discounted at each visit of a bin.

    A table has two blocks of rows, counts and expected counts, with one row per bin.
    """

    def __init__(self, seasons: tuple[Season, ...], step_s: int) -> None:
        self.seasons = seasons
        self._starts: list[int] = []
        self._kept: list[np.float32] = []
        rows = 0
        for season in seasons:
            self._starts.append(rows)
            rows += 2 * season.bins
            visits = max(1.0, season.period_s / season.bins / step_s)
            self._kept.append(np.float32(0.5 ** (season.period_s / season.half_life_s / visits)))
        self.rows = rows

    def factors(self, tables: Tables, positions: list[Position]) -> list[Floats]:
        """Factor of each season [keys] at these positions; `positions` has one for each season."""
        return self.read(tables, positions, None)[0]

    def read(self, tables: Tables, positions: list[Position], dispersion: Floats | None) -> tuple[list[Floats], Floats]:
        """Factors of the seasons at `positions`, each (keys,), and the sum of their relative variances (keys,).

        `dispersion` is that of the counts; None makes the variances 0.
        """
        factors = []
        unsure = np.zeros(tables.shape[1])
        for season, start, position in zip(self.seasons, self._starts, positions, strict=True):
            counts, expected = self._sums(tables, start, season, position)
            expected += season.prior
            if dispersion is not None:
                unsure += (season.spread * season.prior / expected) ** 2 + dispersion / expected
            counts += season.prior
            counts /= expected
            factors.append(counts)
        return factors, unsure

    def learn(self, tables: Tables, positions: list[Position], count: Floats, without: list[Floats]) -> None:
        """Add a window with the counts `count` [keys].

        `without[s]` is its expected count without the factor of season s.
        """
        for season, start, kept, position, expected in zip(
            self.seasons, self._starts, self._kept, positions, without, strict=True
        ):
            if position.write is None:
                continue
            row = start + position.write
            tables[row] = tables[row] * kept + count
            row += season.bins
            tables[row] = tables[row] * kept + expected

    @staticmethod
    def _sums(tables: Tables, start: int, season: Season, position: Position) -> tuple[Floats, Floats]:
        counts: Floats = np.zeros(tables.shape[1])
        expected: Floats = np.zeros(tables.shape[1])
        for bin_, weight in position.read:
            counts += tables[start + bin_] * weight
            expected += tables[start + season.bins + bin_] * weight
        return counts, expected
