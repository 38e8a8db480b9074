"""Output of a backtest: rows with their results, and a summary of the episodes."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from triage.alerting.backtest.run import BacktestRule, Results, Span
from triage.alerting.backtest.table import ADDED, Table
from triage.alerting.detection import SpikeSettings
from triage.clock import DAY_MS, HOUR_MS, MINUTE_MS

_CHUNK = 65_536
_WEEK_MS = 7 * DAY_MS
_MAX_KEYS, _MAX_SILENT = 20, 5


def output_lines(table: Table, results: Results) -> Iterator[str]:
    """Yield the result as CSV: the table's rows, unchanged, plus the columns expected, score, firing and episode.

    Each item is a large piece of text; the first begins with the header.
    """
    yield ",".join([*(_cell(name) for name in table.columns), *ADDED]) + "\n"
    columns = [(column.codes, [_cell(text) for text in column.texts]) for column in table.columns.values()]
    episodes = [*(_cell(episode.id) for episode in results.episodes), ""]
    line = ",".join(["%s"] * len(columns)) + ",%.4f,%.4f,%d,%s\n"
    for start in range(0, len(table), _CHUNK):
        part = slice(start, start + _CHUNK)
        cells = [map(texts.__getitem__, codes[part].tolist()) for codes, texts in columns]
        added = (
            results.expected[part].tolist(),
            results.score[part].tolist(),
            results.firing[part].tolist(),
            map(episodes.__getitem__, results.episode[part].tolist()),
        )
        yield "".join(map(line.__mod__, zip(*cells, *added, strict=True)))


@dataclass(frozen=True, slots=True)
class KeySummary:
    """Summary of the episodes of one key: their number, number per week, and the longest and the last episode."""

    key: str
    episodes: int
    per_week: float
    longest: Span
    last: Span


def summary(table: Table, results: Results, rule: BacktestRule | None = None) -> str:
    """Format a summary of a backtest: number of episodes in total, per key and week, and for the keys with most.

    If `rule` is given, its budget of false alerts is included.
    """
    weeks = (int(table.number.max()) - int(table.number.min()) + 1) * table.step_ms / _WEEK_MS
    keys = len(table.keys.texts)
    count = len(results.episodes)
    lines = [
        f"{len(table):,} rows, {keys:,} keys, {weeks:.1f} weeks in steps of {_length(table.step_ms)}",
        f"{count:,} episodes, {count / keys / weeks:.3f} per key and week; "
        f"{int(results.firing.sum()):,} windows fire, of {len({span.key for span in results.episodes}):,} keys",
    ]
    if rule is not None and rule.spike is not None:
        lines.append(_budget(rule.spike, results, keys, weeks))
    for reason, names in results.silent.items():
        more = f" and {len(names) - _MAX_SILENT:,} more" if len(names) > _MAX_SILENT else ""
        lines.append(f"{len(names):,} keys could not have fired: {reason} ({', '.join(names[:_MAX_SILENT])}{more})")
    found = _by_key(table, results, weeks)
    for key in found[:_MAX_KEYS]:
        open_ = ", still open" if key.last.open else ""
        length = (key.longest.last - key.longest.first + 1) * table.step_ms
        lines.append(
            f"  {key.key or '(no key)'}: {key.episodes} episodes, {key.per_week:.2f} a week; longest {_length(length)} "
            f"from {_time(table, key.longest.first)}; last from {_time(table, key.last.first)}{open_}"
        )
    if len(found) > _MAX_KEYS:
        lines.append(f"  ... and {len(found) - _MAX_KEYS:,} more keys")
    return "\n".join(lines)


def _budget(spike: SpikeSettings, results: Results, keys: int, weeks: float) -> str:
    """The false alerts that the budget allows in this time, and the scores above which keys fired."""
    if spike.budget is None:
        return f"no budget: keys fire above the fixed score {spike.z_count:g}"
    allowed = spike.budget.in_all(keys) * weeks
    if not results.thresholds[1]:
        return f"budget {spike.false_alerts}: nothing could fire, all keys learned until the end"
    low, high = results.thresholds
    return (
        f"budget {spike.false_alerts}: {allowed:.2f} false alerts in this time; the {len(results.episodes):,} episodes "
        f"include true ones; keys fired above scores of {low:.2f} to {high:.2f}"
    )


def _by_key(table: Table, results: Results, weeks: float) -> list[KeySummary]:
    by_key: dict[int, list[Span]] = {}
    for span in results.episodes:
        by_key.setdefault(span.key, []).append(span)
    found = [
        KeySummary(
            table.keys.texts[code],
            len(spans),
            len(spans) / weeks,
            max(spans, key=lambda s: s.last - s.first),
            spans[-1],
        )
        for code, spans in by_key.items()
    ]
    return sorted(found, key=lambda key: (-key.episodes, key.key))


def step_times(table: Table, numbers: np.ndarray) -> list[datetime]:
    """Start time, in UTC, of each window of the table with one of these `numbers`."""
    return [
        datetime.fromtimestamp((number * table.step_ms + table.phase_ms) / 1000, UTC) for number in numbers.tolist()
    ]


def _time(table: Table, number: int) -> str:
    return f"{step_times(table, np.array([number]))[0]:%Y-%m-%d %H:%M}"


def _length(milliseconds: int) -> str:
    for size, unit in ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "min")):
        if milliseconds >= size and milliseconds % (size // 10 or 1) == 0:
            return f"{milliseconds / size:g} {unit}"
    return f"{milliseconds / 1000:g} s"


def _cell(text: str) -> str:
    """A CSV cell, quoted if necessary."""
    if not any(character in text for character in ',"\r\n'):
        return text
    into = io.StringIO()
    csv.writer(into, lineterminator="").writerow([text])
    return into.getvalue()
