"""Evaluates past counts as the alerter would have, in one pass in order of time that never looks ahead."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage.alerting.backtest.table import Table
from triage.alerting.detection import SpikeDetector, SpikeSettings, Verdicts
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.lifecycle.episode import Episode, Policy, step
from triage.alerting.rules.model import StaticThreshold

_NO_EPISODE = -1


@dataclass(frozen=True, slots=True)
class BacktestRule:
    """The settings of a rule that a backtest needs. A static threshold sums the last `window_s` seconds.

    `pending` and `resolve_after` count windows of the table, as those of a rule count steps.
    """

    spike: SpikeSettings | None
    static: StaticThreshold | None = None
    window_s: int = 0
    pending: int = 0
    resolve_after: int = 6
    name: str = "backtest"


@dataclass(frozen=True, slots=True)
class Span:
    """One episode of a backtest: its key's code, and the numbers of its first step and of its last firing step."""

    id: str
    key: int
    first: int
    last: int
    open: bool


@dataclass(frozen=True, slots=True)
class Results:
    """Result of a backtest: expected count, score and verdict of each row of the table, and the episodes.

    Arrays are aligned with the table's rows; `episode` is an index into `episodes`, -1 without one. `thresholds` are
    the lowest and the highest score threshold that was in effect. `silent` lists, by reason, the keys that could never
    have fired.
    """

    expected: NDArray[np.float64]
    score: NDArray[np.float64]
    firing: NDArray[np.bool_]
    episode: NDArray[np.int32]
    episodes: list[Span]
    thresholds: list[float]
    silent: dict[str, list[str]]


def backtest(table: Table, rule: BacktestRule, on_step: Callable[[int, int], None] | None = None) -> Results:
    """Evaluate a rule on a table of past counts, step by step in order of time.

    `on_step(done, steps)` is called after each step. Raises ValueError if steps are not whole seconds.
    """
    size = len(table)
    results = Results(
        np.zeros(size),
        np.zeros(size),
        np.zeros(size, bool),
        np.full(size, _NO_EPISODE, np.int32),
        [],
        [math.inf, 0.0],
        {},
    )
    step_s = table.step_ms / 1000
    if step_s < 1 or table.step_ms % 1000:
        raise ValueError(f"steps must be whole seconds, not {step_s:g} s")
    spike = SpikeDetector(rule.spike or SpikeSettings(), int(step_s))
    static = None if rule.static is None else _Static(rule.static, rule.window_s, int(step_s))
    episodes = _Episodes(table, rule, results)
    column_of = np.full(len(table.keys.texts), -1, np.intp)
    codes: list[int] = []
    first, last = int(table.number.min()), int(table.number.max())
    for number, rows in _by_step(table, first, last):
        named = table.keys.codes[rows]
        fresh = named[column_of[named] < 0]
        column_of[fresh] = np.arange(len(codes), len(codes) + len(fresh))
        codes.extend(fresh.tolist())
        columns = column_of[named]
        negative = table.negative[rows]
        total = None if table.total is None else table.total[rows]
        names = [table.keys.texts[code] for code in named.tolist()]
        verdicts = spike.step(number * table.step_ms + table.phase_ms, names, negative, total)
        results.thresholds[:] = _extended(results.thresholds, verdicts)
        firing = verdicts.firing if rule.spike is not None else np.zeros(len(codes), bool)
        if static is not None:
            firing = firing | static.step(columns, negative, total, len(codes))
        results.expected[rows] = verdicts.expected[columns]
        results.score[rows] = verdicts.score[columns]
        results.firing[rows] = firing[columns]
        open_codes = episodes.step(number, firing, verdicts.expected, verdicts.score, codes, columns, negative, total)
        if open_codes:
            results.episode[rows] = np.array([open_codes.get(code, _NO_EPISODE) for code in named.tolist()], np.int32)
        if on_step is not None:
            on_step(number - first + 1, last - first + 1)
    episodes.finish()
    if rule.spike is not None and static is None:
        results.silent.update(_silent(table, rule.spike, verdicts, spike.keys))
    return results


def _extended(thresholds: list[float], verdicts: Verdicts) -> tuple[float, float]:
    """Widen the range (lowest, highest threshold) by the threshold of a step, unless all keys were still learning."""
    low, high = thresholds
    if verdicts.learning.all():
        return low, high
    return min(low, verdicts.threshold), max(high, verdicts.threshold)


def _silent(table: Table, spike: SpikeSettings, last: Verdicts, keys: Sequence[str]) -> dict[str, list[str]]:
    """Keys that could not have fired, by reason: they still learn at the end, or have too few records."""
    learning = [keys[column] for column in np.flatnonzero(last.learning).tolist()]
    counts = np.bincount(table.keys.codes, table.negative, len(table.keys.texts))
    few = {table.keys.texts[code] for code in np.flatnonzero(counts < spike.min_count).tolist()}
    found = {
        "still learning at the end": learning,
        f"fewer than {spike.min_count} negatives in all": sorted(few.difference(learning)),
    }
    return {reason: names for reason, names in found.items() if names}


def _by_step(table: Table, first: int, last: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Number of each step with the indices of its rows, also for steps without rows."""
    order = np.argsort(table.number, kind="stable")
    bounds = np.searchsorted(table.number[order], np.arange(first, last + 2))
    for number in range(first, last + 1):
        yield number, order[bounds[number - first] : bounds[number - first + 1]]


class _Static:
    """Evaluates the static threshold of all keys over the last `window_s` seconds."""

    def __init__(self, threshold: StaticThreshold, window_s: int, step_s: int) -> None:
        self._threshold = threshold
        self._steps = max(1, window_s // step_s)
        self._negative = np.zeros((self._steps, 0))
        self._total = np.zeros((self._steps, 0))
        self._at = 0

    def step(
        self, columns: NDArray[np.intp], negative: NDArray[np.float64], total: NDArray[np.float64] | None, keys: int
    ) -> NDArray[np.bool_]:
        grown = keys - self._negative.shape[1]
        if grown:
            self._negative = np.pad(self._negative, ((0, 0), (0, grown)))
            self._total = np.pad(self._total, ((0, 0), (0, grown)))
        self._at = (self._at + 1) % self._steps
        self._negative[self._at] = self._total[self._at] = 0.0
        self._negative[self._at, columns] = negative
        # Without a total a share is not known, so the threshold is not reached.
        self._total[self._at, columns] = 0.0 if total is None else np.nan_to_num(total)
        count, all_ = self._negative.sum(axis=0), self._total.sum(axis=0)
        reached = (count >= self._threshold.count_at_least) & (count >= self._threshold.share_at_least * all_)
        return np.asarray(reached & (all_ > 0))


class _Episodes:
    """Tracks the episodes of keys that fire, by the alerter's own lifecycle, and adds them to the results."""

    def __init__(self, table: Table, rule: BacktestRule, results: Results) -> None:
        self._table = table
        self._rule = rule
        self._policy = Policy(rule.resolve_after, "warning", pending=rule.pending)
        self._results = results
        self._current: dict[int, Episode] = {}
        self._index: dict[int, int] = {}

    def step(
        self,
        number: int,
        firing: NDArray[np.bool_],
        expected: NDArray[np.float64],
        score: NDArray[np.float64],
        codes: list[int],
        columns: NDArray[np.intp],
        negative: NDArray[np.float64],
        total: NDArray[np.float64] | None,
    ) -> dict[int, int]:
        """Apply a step to the episodes. Returns, by key code, the index in `Results.episodes` of each open one."""
        fired = {codes[column]: column for column in np.flatnonzero(firing).tolist()}
        looked_at = fired.keys() | self._index.keys()
        if not looked_at:
            return {}
        where = {codes[column]: place for place, column in enumerate(columns.tolist()) if codes[column] in looked_at}
        column_of = {codes[column]: column for column in columns.tolist() if codes[column] in looked_at} | fired
        for code in sorted(looked_at):
            place = where.get(code)
            count = 0.0 if place is None else float(negative[place])
            records = count if place is None or total is None or math.isnan(total[place]) else float(total[place])
            column = column_of.get(code)
            usual, surprise = (0.0, 0.0) if column is None else (float(expected[column]), float(score[column]))
            verdict = Verdict(code in fired, usual, surprise)
            self._evaluate(code, self._window(code, number, count, records), verdict, number)
        return self._index

    def finish(self) -> None:
        """Add the final state of the backtest's open episodes to its results."""
        for code, index in self._index.items():
            self._note(code, index)

    def _evaluate(self, code: int, window: RuleWindow, verdict: Verdict, number: int) -> None:
        after = step(self._current.get(code), window, verdict, self._policy).episode
        if after is None:
            return
        self._current[code] = after
        paged = after.firing
        if paged and code not in self._index:
            self._index[code] = len(self._results.episodes)
            self._results.episodes.append(Span(after.dedup_key, code, number, number, open=True))
        elif not after.open and code in self._index:
            self._note(code, self._index.pop(code))

    def _note(self, code: int, index: int) -> None:
        after, known = self._current[code], self._results.episodes[index]
        last = (after.last_firing_ms - self._table.phase_ms) // self._table.step_ms
        self._results.episodes[index] = Span(known.id, code, known.first, last, after.open)

    def _window(self, code: int, number: int, count: float, records: float) -> RuleWindow:
        start_ms = number * self._table.step_ms + self._table.phase_ms
        key = self._table.keys.texts[code]
        step_ms = self._table.step_ms
        return RuleWindow(
            self._rule.name, key, {}, start_ms, start_ms + step_ms, step_ms, math.ceil(count), math.ceil(records)
        )
