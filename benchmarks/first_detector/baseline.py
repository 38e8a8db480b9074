"""Expected counts of each key: level, seasons, dispersion and share, learned late and with a cap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_detector.calendar import DAY_S, Calendar, Position, seasons_for
from benchmarks.first_detector.seasons import SeasonTables
from triage.alerting.detection.level import Level
from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.spread import Spread
from triage.alerting.detection.state import KeyStates
from triage.alerting.detection.tail import upper_quantile
from triage.alerting.detection.verdicts import Floats
from triage.alerting.detection.widths import widths_for

Columns = NDArray[np.intp]

# Counts are learned up to this many standard deviations of the upper tail, so that a spike is not learned.
_CAP, _LEARNING_CAP, _SPREAD_CAP = 2.7, 6.0, 2.7
_SHORT = {1: 0.8, 2: 0.3, 6: 0.3, 12: 0.3, 36: 0.6}
_UNCAPPED_WINDOWS = 6
# Windows in a run whose widest sum is this far off are not learned by the seasons; a long run is a new level.
_OFF_LEVEL = 2.7
_RUN = 6
_PRIOR_COUNT = 0.5
_PRIOR_RECORDS = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """Counts and expected counts of the sums that end with a window, each [widths, keys].

    `unsure` is the relative variance of the means; `order` are the ring's slots, newest first.
    """

    count: Floats
    mean: Floats
    unsure: Floats
    # Indices of the last windows in the rings, newest first.
    order: list[int]


class Baseline:
    """Learns the expected counts of keys in `states`, whose rows it defines, `delay_windows` windows late."""

    def __init__(self, settings: SpikeSettings, step_s: int) -> None:
        self.widths = widths_for(step_s, settings.z_count or 3.8, _SHORT)
        per_day = DAY_S / step_s
        seasons = seasons_for(step_s) if settings.seasons else ()
        self._step_ms = step_s * 1000
        self.tables = SeasonTables(seasons, step_s)
        self._calendar = Calendar(seasons, step_s, settings.zone, settings.holidays)
        half_life = max(settings.level_days * per_day, settings.level_windows)
        self._level = Level(step_s, half_life, slow=settings.seasons and step_s >= DAY_S)
        self._share_kept = 0.5 ** (1 / half_life)
        spread = 0.5 ** (1 / max(settings.spread_days * per_day, settings.spread_windows))
        self.spread, self.share_spread = (Spread(len(self.widths.sizes), spread, floor) for floor in (1.0, 0.3))
        self.learning_windows = max(settings.learning_days * per_day, settings.learning_windows)
        self._accept = max(settings.accept_days * per_day, settings.accept_windows)
        self._recent_kept = 0.5 ** (2 / self._accept)
        self._delay = settings.delay_windows
        self._ring = self._delay + self.widths.widest
        self._positions: dict[int, list[Position]] = {}

    def sizes(self) -> dict[str, int]:
        """Number of rows of each named part of the state."""
        scalars = dict.fromkeys(("age", "recent", "recent_mean", "share", "share_exposure", "run"), 1)
        rings = dict.fromkeys(("count", "records", "factor", "mean"), self._ring)
        learned = {"level": self._level.rows, "spread": self.spread.rows, "share_spread": self.share_spread.rows}
        return scalars | learned | rings

    def blank_level(self) -> Floats:
        """The rows `level` of a key that has no counts yet."""
        return self._level.blank()

    def expect(self, states: KeyStates, number: int, start_ms: int, count: Floats, records: Floats) -> Expected:
        """Put the window `number`, which starts at `start_ms`, in the rings of `states`.

        `count` and `records` are [keys]. Returns its expected count, and those of the sums that end with it.
        """
        age = states.row("age")
        positions = self._calendar.positions(start_ms)
        self._positions[number] = positions
        factors, unsure = self.tables.read(states.tables(), positions, self.spread.phi(states.rows("spread"))[0])
        rate, level_unsure = self._level.predict(states.rows("level"), start_ms, self._delay)
        factor = _product(factors, len(states))
        mean = rate * factor
        recent, recent_mean = states.row("recent"), states.row("recent_mean")
        # Until the level has learned its first window, the mean of the windows before is the best estimate.
        np.copyto(mean, recent / np.maximum(age, 1.0), where=age <= self._delay)
        age += 1
        recent *= self._recent_kept
        recent += count
        recent_mean *= self._recent_kept
        recent_mean += mean
        slot = number % self._ring
        for name, values in (("count", count), ("records", records), ("factor", factor), ("mean", mean)):
            states.rows(name)[slot] = values
        order = self._order(number)
        return Expected(
            self._sums(states, "count", order), self._sums(states, "mean", order), level_unsure + unsure, order
        )

    def learn(self, states: KeyStates, number: int, expected: Expected) -> None:
        """Note keys whose window is far from the level, and learn the window of `delay_windows` ago."""
        self._note_run(states, expected)
        learned = number - self._delay
        start_ms = number * self._step_ms - self._delay * self._step_ms
        positions = self._positions.pop(learned, None) or self._calendar.positions(start_ms)
        slot = learned % self._ring
        factor = states.rows("factor")[slot]
        seen = factor > 0
        rate, unsure = self._level.predict(states.rows("level"), start_ms, 0)
        phi = self.spread.phi(states.rows("spread"))
        capped = self._cap(states, slot, rate * factor, unsure, phi)
        self._learn_spread(states, learned, unsure, phi)
        self._learn_seasons(states, positions, capped, rate * seen)
        self._level.learn(states.rows("level"), start_ms, capped / phi[0], factor / phi[0])
        self._learn_share(states, learned)

    def _cap(self, states: KeyStates, slot: int, mean: Floats, unsure: Floats, phi: Floats) -> Floats:
        """Cut the window's counts in the rings down to what is learned, and its records in proportion."""
        age, count, records = states.row("age"), states.rows("count")[slot], states.rows("records")[slot]
        variance = self.spread.variance(states.rows("spread"), mean, phi)[0] + mean * mean * unsure
        learning = age <= self.learning_windows
        allowed = upper_quantile(mean, variance, np.where(learning, _LEARNING_CAP, _CAP))
        over = (count > allowed) & (age - self._delay > _UNCAPPED_WINDOWS)
        if over.any():
            records[over & (records > 0)] *= (allowed / np.maximum(count, 1e-9))[over & (records > 0)]
            count[over] = allowed[over]
        return np.asarray(count)

    def _learn_spread(self, states: KeyStates, learned: int, unsure: Floats, phi: Floats) -> None:
        order = self._order(learned)
        count, mean = self._sums(states, "count", order), self._sums(states, "mean", order)
        rows = states.rows("spread")
        allowed = upper_quantile(mean, self.spread.variance(rows, mean, phi) + mean * mean * unsure, _SPREAD_CAP)
        # The first windows had no level for comparison.
        settled = states.row("age") > 2 * self._delay + self.widths.widest
        self.spread.learn(rows, np.minimum(count, allowed), mean * settled)

    def _learn_seasons(self, states: KeyStates, positions: list[Position], count: Floats, rate: Floats) -> None:
        if not self.tables.seasons:
            return
        factors = self.tables.factors(states.tables(), positions)
        calm = np.abs(states.row("run")) < _RUN
        product = _product(factors, len(states)) * (rate * calm)
        self.tables.learn(states.tables(), positions, count * calm, [product / factor for factor in factors])

    def _learn_share(self, states: KeyStates, learned: int) -> None:
        records = states.rows("records")
        given = records[learned % self._ring] > 0
        if not given.any():
            return
        share, exposure = states.row("share"), states.row("share_exposure")
        order = self._order(learned)
        mean = np.cumsum(np.maximum(records[order], 0), axis=0)[self.widths.last]
        mean *= (share + _PRIOR_COUNT) / (exposure + _PRIOR_RECORDS)
        settled = (states.row("age") - self._delay > _UNCAPPED_WINDOWS) & given
        self.share_spread.learn(states.rows("share_spread"), self._sums(states, "count", order), mean * settled)
        kept = np.where(given, self._share_kept, 1.0)
        share *= kept
        share += np.where(given, states.rows("count")[learned % self._ring], 0.0)
        exposure *= kept
        exposure += np.where(given, records[learned % self._ring], 0.0)

    def share(self, states: KeyStates, columns: Columns) -> tuple[Floats, Floats]:
        """Share of negatives of the keys in `columns`, and the number of negatives from which it is known."""
        counts = states.row("share")[columns] + _PRIOR_COUNT
        return (counts / (states.row("share_exposure")[columns] + _PRIOR_RECORDS)).clip(0.0, 0.99), counts

    def _note_run(self, states: KeyStates, expected: Expected) -> None:
        """Length of the run of windows whose widest sum is off the level: positive above, negative below."""
        rows = states.rows("spread")
        count, mean = expected.count[-1], expected.mean[-1]
        variance = self.spread.variance(rows, expected.mean, self.spread.phi(rows))[-1] + mean * mean * expected.unsure
        reach = _OFF_LEVEL * np.sqrt(variance)
        run = states.row("run")
        above, below = count > mean + reach + 1, count < mean - reach
        run[:] = np.where(above, np.maximum(run, 0) + 1, np.where(below, np.minimum(run, 0) - 1, 0))
        accepted = (np.abs(run) >= self._accept).nonzero()[0]
        if len(accepted):
            self._accept_level(states, accepted)
            run[accepted] = 0

    def _accept_level(self, states: KeyStates, columns: Columns) -> None:
        recent = states.row("recent")[columns] + _PRIOR_COUNT
        ratio = recent / (states.row("recent_mean")[columns] + _PRIOR_COUNT)
        self._level.shift(states.rows("level"), columns, np.log(ratio), 2.0 / recent)
        states.row("recent_mean")[columns] *= ratio
        states.rows("mean")[:, columns] *= ratio

    def _order(self, number: int) -> list[int]:
        return [(number - back) % self._ring for back in range(self.widths.widest)]

    def _sums(self, states: KeyStates, name: str, order: list[int]) -> Floats:
        return np.asarray(np.cumsum(states.rows(name)[order], axis=0)[self.widths.last])


def _product(factors: list[Floats], size: int) -> Floats:
    product = np.ones(size)
    for factor in factors:
        product *= factor
    return product
