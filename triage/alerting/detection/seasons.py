"""Seasonal factors of each key: how counts at an hour of the day or a day of the week differ from the level."""

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection.calendar import DAY_KIND, Position, Season
from triage.alerting.detection.verdicts import Bools, Floats

Tables = NDArray[np.float32]

# Squared logarithms of a day's factor: multiple of its variance by chance, and what days of the week usually differ by.
_CHANCE, _USUAL = 8.0, 0.5


class SeasonTables:
    """Learns one factor per bin of each season: (counts + n0) / (expected counts without the factor + n0).

    n0 is the season's `prior`; both sums are discounted whenever their bin is learned. The tables of all seasons are
    one array of shape (rows, keys): each season has a block of rows for counts and one for expected counts, one row per
    bin.
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

    def rows_of(self, name: str) -> slice:
        """The rows of the tables that belong to the season `name`; an empty slice if it is not in use."""
        for season, start in zip(self.seasons, self._starts, strict=True):
            if season.name == name:
                return slice(start, start + 2 * season.bins)
        return slice(0, 0)

    def factors(self, tables: Tables, positions: list[Position]) -> list[Floats]:
        """Return the factor of each season at its position: one array of shape (keys,) per season."""
        return self.read(tables, positions, None)[0]

    def read(self, tables: Tables, positions: list[Position], dispersion: Floats | None) -> tuple[list[Floats], Floats]:
        """Return the factors (one array per season) and the sum of their relative variances, all of shape (keys,).

        The variances are for counts with this dispersion (variance / mean); they are 0 if it is None.
        """
        factors = []
        unsure = np.zeros(tables.shape[1])
        for season, start, position in zip(self.seasons, self._starts, positions, strict=True):
            counts, expected = self._sums(tables, start, season, position)
            prior = _prior(season, counts, expected)
            expected += prior
            if dispersion is not None:
                unsure += (season.spread * prior / expected) ** 2 + dispersion / expected
            counts += prior
            counts /= expected
            factors.append(counts)
        return factors, unsure

    def learn(
        self, tables: Tables, positions: list[Position], count: Floats, rate: Floats, surged: Bools | None = None
    ) -> None:
        """Add a window with this count at `positions`, one for each season.

        `rate` is the expected count without any factor. Both are of shape (keys,). Seasons learn in turn, each from
        what the updated factors of the others leave unexplained. If all of them learned the same residual, its effect
        on the next prediction would be squared or cubed.

        `surged` (keys,) marks keys with far more records of any kind than usual: of these only the season DAY_KIND
        learns.
        """
        factors = self.factors(tables, positions)
        last = len(factors) - 1
        for number, (season, start, kept, position) in enumerate(
            zip(self.seasons, self._starts, self._kept, positions, strict=True)
        ):
            if position.write is None:
                continue
            expected = rate
            for other, factor in enumerate(factors):
                if other != number:
                    expected = expected * factor
            row = start + position.write
            own = count
            if surged is not None and season is not DAY_KIND:
                own, expected = count * ~surged, expected * ~surged
            tables[row] = tables[row] * kept + own
            row += season.bins
            tables[row] = tables[row] * kept + expected
            if number < last:
                counts, weights = self._sums(tables, start, season, position)
                prior = _prior(season, counts, weights)
                factors[number] = (counts + prior) / (weights + prior)

    @staticmethod
    def _sums(tables: Tables, start: int, season: Season, position: Position) -> tuple[Floats, Floats]:
        counts: Floats = np.zeros(tables.shape[1])
        expected: Floats = np.zeros(tables.shape[1])
        for bin_, weight in position.read:
            counts += tables[start + bin_] * weight
            expected += tables[start + season.bins + bin_] * weight
        return counts, expected


def _prior(season: Season, counts: Floats, expected: Floats) -> Floats | float:
    """Weight, in counts, that pulls a factor of the season to 1.

    Of days it falls where the counts rule out that the factor is near 1: a brand with traffic at weekends only would
    otherwise need months to learn a factor of fifty, as next to nothing is expected without it.
    """
    if season is not DAY_KIND:
        return season.prior
    counts, expected = counts + 0.5, expected + 0.5
    beyond_noise = np.log(counts / expected) ** 2 - _CHANCE * (1 / counts + 1 / expected) - _USUAL
    return np.asarray(1.0 / np.maximum(beyond_noise, 1.0 / season.prior))
