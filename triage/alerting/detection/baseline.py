"""Baseline of each key: the number of negative records to expect in a window, learned from past windows.

It consists of a level (the mean count), seasonal factors, a dispersion, and the share of negatives among all records. A
window is learned with a delay and with its count capped, so that a spike does not become part of the baseline.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection.calendar import DAY_KIND, DAY_S, HOUR_OF_DAY, Calendar, Position, seasons_for
from triage.alerting.detection.level import Level
from triage.alerting.detection.seasons import SeasonTables
from triage.alerting.detection.settings import SpikeSettings
from triage.alerting.detection.silence import resting
from triage.alerting.detection.spread import MARGIN, Spread
from triage.alerting.detection.state import KeyStates
from triage.alerting.detection.tail import upper_quantile
from triage.alerting.detection.threshold import REFERENCE
from triage.alerting.detection.verdicts import Bools, Floats
from triage.alerting.detection.widths import widths_for

Columns = NDArray[np.intp]

# Counts are learned up to this many standard deviations of the upper tail, so that a spike is not learned.
_CAP, _LEARNING_CAP = 2.7, 6.0
# The dispersion learns from sums capped at this many, and scores use it plus so many of its standard errors. Of weeks
# there are few, so that the outbreaks among them weigh more: a lower cap keeps them out, and leaves more uncertain.
_SPREAD_CAP = 2.7
_SPREAD_CAP_OF_WEEKS, _MARGIN_OF_WEEKS = 2.0, 4.0
_UNCAPPED_WINDOWS = 6
# Windows in a run whose widest sum is this far off are not learned by the seasons; a long run is a new level.
_OFF_LEVEL = 2.7
_RUN = 6
_PRIOR_COUNT = 0.5
# All traffic surges if the other records are more than this multiple of the usual ones. A key of a few nights or
# mornings does not know its days yet. `_USUAL_SHARE` is in standard deviations.
SURGE = 4.0
_SURGE_DAYS, _SURGE_PACE, _USUAL_SHARE = 2.0, 0.5, 3.0
_PRIOR_RECORDS = 1.0


@dataclass(frozen=True, slots=True)
class Expected:
    """Observed and expected counts of all keys at one step, summed over the latest windows.

    `count` and `mean` are of shape (widths, keys): row i sums the latest `Widths.sizes[i]` windows. `unsure`, of
    shape (keys,), is the relative variance of the means, caused by the uncertain level. `order` are the ring's slots,
    newest first.
    """

    count: Floats
    mean: Floats
    unsure: Floats
    # Indices of the last windows in the rings, newest first.
    order: list[int]


class Baseline:
    """Predicts the count of each key in a window, and learns from closed windows. Its state is in a `KeyStates`.

    A window is learned `delay_windows` windows after it was predicted. `step_s` is the length of a window in seconds.
    """

    def __init__(self, settings: SpikeSettings, step_s: int) -> None:
        self.widths = widths_for(step_s, settings.z_count or REFERENCE)
        per_day = DAY_S / step_s
        seasons = seasons_for(step_s) if settings.seasons else ()
        self._step_ms = step_s * 1000
        self.tables = SeasonTables(seasons, step_s)
        self._calendar = Calendar(seasons, step_s, settings.zone, settings.holidays)
        half_life = max(settings.level_days * per_day, settings.level_windows)
        self._level = Level(step_s, half_life, slow=settings.seasons and step_s >= DAY_S)
        self._share_kept = 0.5 ** (1 / half_life)
        spread = 0.5 ** (1 / max(settings.spread_days * per_day, settings.spread_windows))
        weeks = step_s >= 7 * DAY_S
        self._spread_cap, margin = (_SPREAD_CAP_OF_WEEKS, _MARGIN_OF_WEEKS) if weeks else (_SPREAD_CAP, MARGIN)
        self.spread, self.share_spread = (Spread(len(self.widths.sizes), spread, floor, margin) for floor in (1.0, 0.3))
        self.learning_windows = max(settings.learning_days * per_day, settings.learning_windows)
        self._accept = max(settings.accept_days * per_day, settings.accept_windows)
        self._recent_kept = 0.5 ** (2 / self._accept)
        self._delay = settings.delay_windows
        self._ring = self._delay + self.widths.widest
        self._has_days = DAY_KIND in seasons
        self._surge_age = _SURGE_DAYS * per_day
        self._positions: dict[int, list[Position]] = {}

    def sizes(self) -> dict[str, int]:
        """Number of array rows of each named part of a key's state, in the form that `Layout` takes."""
        scalars = dict.fromkeys(("age", "recent", "recent_mean", "share", "share_exposure", "run"), 1)
        rings = dict.fromkeys(("count", "records", "factor", "mean"), self._ring)
        learned = {"level": self._level.rows, "spread": self.spread.rows, "share_spread": self.share_spread.rows}
        return scalars | learned | rings

    def blank_level(self) -> Floats:
        """Initial level of a new key, of shape (n,): n is the number of rows of the part `level` in a key's state."""
        return self._level.blank()

    def expect(self, states: KeyStates, number: int, start_ms: int, count: Floats, records: Floats) -> Expected:
        """Predict the counts of a closed window and of the sums that end with it; store the window in the state.

        `number` is the window's start divided by its length. `count` (negatives) and `records` (all records; -1 if
        unknown) are of shape (keys,).
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
        """Learn from the window of `delay_windows` ago; call it after `expect` with the same `number`.

        The level of a key is reset to its recent counts if these have differed strongly from it for `accept_windows`
        windows and `accept_days` days.
        """
        self._note_run(states, expected)
        learned = number - self._delay
        start_ms = number * self._step_ms - self._delay * self._step_ms
        positions = self._positions.pop(learned, None) or self._calendar.positions(start_ms)
        slot = learned % self._ring
        factor = states.rows("factor")[slot]
        seen = factor > 0
        rate, unsure = self._level.predict(states.rows("level"), start_ms, 0)
        phi = self.spread.phi(states.rows("spread"))
        surged = self._surged(states, self._order(learned))
        capped = self._cap(states, slot, rate * factor, unsure, phi, surged)
        calm = (np.abs(states.row("run")) < _RUN) | surged
        self._learn_spread(states, learned, unsure, phi, surged)
        self.tables.learn(states.tables(), positions, capped * calm, rate * (seen & calm), surged)
        settled = ~surged / phi[0]
        self._level.learn(states.rows("level"), start_ms, capped * settled, factor * settled)
        self._learn_share(states, learned)

    def _surged(self, states: KeyStates, order: list[int]) -> Bools:
        """True for keys whose records of all kinds are far more than usual, and their share of negatives is not.

        From such windows, as the first weekend of a brand with traffic at weekends only, the factor of the day is
        learned, but neither the level nor the dispersion. `order` has the places of the widest
        sum's windows in the rings.
        """
        if not self._has_days:
            return np.zeros(len(states), np.bool_)
        records = states.rows("records")[order]
        known = (records >= 0).all(axis=0) & (states.row("age") > self._surge_age)
        total = np.maximum(records, 0).sum(axis=0)
        count, mean = (states.rows(name)[order].sum(axis=0) for name in ("count", "mean"))
        share = self.share(states, slice(None))[0]
        usual = mean * (1 - share) / share + _PRIOR_COUNT
        surged: Bools = known & (total - count + _PRIOR_COUNT > SURGE * usual)
        if surged.any():
            own, phi = total * share, self.share_spread.phi(states.rows("share_spread"))[-1]
            surged &= count < own + _USUAL_SHARE * np.sqrt(own * phi) + 1
        return surged

    def _cap(self, states: KeyStates, slot: int, mean: Floats, unsure: Floats, phi: Floats, surged: Bools) -> Floats:
        """Limit the counts of the window in `slot`, learned next, to a quantile of the expected ones; returns them.

        The state is changed in place; the numbers of all records are reduced in proportion.
        """
        age, count, records = states.row("age"), states.rows("count")[slot], states.rows("records")[slot]
        variance = self.spread.variance(states.rows("spread"), mean, phi)[0] + mean * mean * unsure
        learning = age <= self.learning_windows
        allowed = upper_quantile(mean, variance, np.where(learning, _LEARNING_CAP, _CAP))
        over = (count > allowed) & (age - self._delay > _UNCAPPED_WINDOWS) & ~surged
        if over.any():
            records[over & (records > 0)] *= (allowed / np.maximum(count, 1e-9))[over & (records > 0)]
            count[over] = allowed[over]
        return np.asarray(count)

    def _learn_spread(self, states: KeyStates, learned: int, unsure: Floats, phi: Floats, surged: Bools) -> None:
        order = self._order(learned)
        count, mean = self._sums(states, "count", order), self._sums(states, "mean", order)
        rows = states.rows("spread")
        allowed = upper_quantile(mean, self.spread.variance(rows, mean, phi) + mean * mean * unsure, self._spread_cap)
        # The first windows had no level for comparison.
        settled = states.row("age") > 2 * self._delay + self.widths.widest
        # Counts have no cap from below: a lower level would be taken for dispersion, and then never be accepted.
        lower = states.row("run") <= -_RUN
        self.spread.learn(rows, np.minimum(count, allowed), mean * (settled & ~lower & ~surged))

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

    def share(self, states: KeyStates, columns: Columns | slice) -> tuple[Floats, Floats]:
        """Share of negatives among all records for the keys in `columns`, and the number of negatives behind it."""
        counts = states.row("share")[columns] + _PRIOR_COUNT
        return (counts / (states.row("share_exposure")[columns] + _PRIOR_RECORDS)).clip(0.0, 0.99), counts

    def _note_run(self, states: KeyStates, expected: Expected) -> None:
        """Count the windows in a row whose widest sum is far above (positive) or below (negative) the level.

        A key whose run is long enough gets the level of its recent counts.
        """
        rows = states.rows("spread")
        count, mean = expected.count[-1], expected.mean[-1]
        variance = self.spread.variance(rows, expected.mean, self.spread.phi(rows))[-1] + mean * mean * expected.unsure
        reach = _OFF_LEVEL * np.sqrt(variance)
        run = states.row("run")
        above, below = count > mean + reach + 1, count < mean - reach
        # Otherwise a weekend, of two days, would be accepted as the new level when it is over.
        passed = np.where(self._surged(states, expected.order), _SURGE_PACE, 1.0)
        run[:] = np.where(above, np.maximum(run, 0) + passed, np.where(below, np.minimum(run, 0) - 1, 0))
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

    def rests(self, states: KeyStates, start_ms: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Two arrays of shape (keys,): true if a key has regular pauses; true if `start_ms` is in one of them."""
        ever, now = np.zeros(len(states), np.bool_), np.zeros(len(states), np.bool_)
        for season, position in zip(self.tables.seasons, self._calendar.positions(start_ms), strict=True):
            if season in (HOUR_OF_DAY, DAY_KIND):
                rows = self.tables.rows_of(season.name)
                table = states.tables()[rows]
                quiet = resting(table[: season.bins], table[season.bins :])
                ever |= quiet.any(axis=0)
                now |= quiet[[bin_ for bin_, _ in position.read]].any(axis=0)
        return ever, now

    def _order(self, number: int) -> list[int]:
        return [(number - back) % self._ring for back in range(self.widths.widest)]

    def _sums(self, states: KeyStates, name: str, order: list[int]) -> Floats:
        return np.asarray(np.cumsum(states.rows(name)[order], axis=0)[self.widths.last])


def _product(factors: list[Floats], size: int) -> Floats:
    product = np.ones(size)
    for factor in factors:
        product *= factor
    return product
