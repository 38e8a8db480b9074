"""NAB's score (Lavin and Ahmad 2015, standard profile) of alerts on real series with labelled anomalies.

A folder has one `KEY.csv.gz` per series in the columns of `triage alerts backtest`, and `windows.json`: the labelled
intervals by key. The series are NAB's realTweets, which its authors publish under the MIT licence.
"""

import csv
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Of all ten series of realTweets, recomputed from the result files that NAB publishes.
PUBLISHED = {"ARTime": 81.8, "CAD OSE": 74.5, "HTM": 68.0}
# The first 15 % of a series are not scored, but never more than this share of 5,000 windows.
_PROBATION, _PROBATION_OF = 0.15, 5_000
_FALSE_POSITIVE, _FALSE_NEGATIVE = 0.11, 1.0
_STEEPNESS = 5.0


@dataclass(frozen=True)
class RealSeries:
    """Counts of one key by window; `labels` are first and last window of each interval."""

    key: str
    start_ms: NDArray[np.int64]
    counts: NDArray[np.float64]
    labels: list[tuple[int, int]]

    @property
    def step_s(self) -> int:
        return int(np.median(np.diff(self.start_ms))) // 1000


def read_series(folder: Path) -> list[RealSeries]:
    """The series of a folder, by name."""
    windows = json.loads((folder / "windows.json").read_text("utf-8"))
    found = []
    for key, intervals in sorted(windows.items()):
        with gzip.open(folder / f"{key}.csv.gz", "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        start_ms = np.array([_milliseconds(row["window_start"]) for row in rows])
        counts = np.array([float(row["negative"]) for row in rows])
        labels = [
            (
                int(np.searchsorted(start_ms, _milliseconds(first))),
                int(np.searchsorted(start_ms, _milliseconds(last), "right")) - 1,
            )
            for first, last in intervals
        ]
        found.append(RealSeries(key, start_ms, counts, labels))
    return found


def nab_score(series: list[RealSeries], alerts: list[NDArray[np.bool_]]) -> float:
    """NAB's score of alerts: 0 for no detection, 100 for every interval at its begin and no other alert.

    `alerts` has, for each series, where it fires [windows]. Each begin of an alert counts.
    """
    raw, intervals = 0.0, 0
    for one, fired in zip(series, alerts, strict=True):
        probation = int(_PROBATION * min(len(one.counts), _PROBATION_OF))
        labels = [label for label in one.labels if label[1] >= probation]
        intervals += len(labels)
        raw += sum(_of_label(fired, max(first, probation), last) for first, last in labels)
        inside = np.zeros(len(fired), bool)
        for first, last in one.labels:
            inside[first : last + 1] = True
        for window in np.flatnonzero(fired & ~inside & (np.arange(len(fired)) >= probation)):
            raw += _FALSE_POSITIVE * _of_false(int(window), one.labels)
    nothing = -_FALSE_NEGATIVE * intervals
    return 100 * (raw - nothing) / (intervals - nothing)


def _of_label(fired: NDArray[np.bool_], first: int, last: int) -> float:
    hits = np.flatnonzero(fired[first : last + 1])
    if not len(hits):
        return -_FALSE_NEGATIVE
    position = -(last - first - hits[0] + 1) / (last - first + 1)
    return _sigmoid(float(position)) / _sigmoid(-1.0)


def _of_false(window: int, labels: list[tuple[int, int]]) -> float:
    """Negative; less so shortly after an interval."""
    before = [label for label in labels if label[1] < window]
    if not before:
        return -1.0
    first, last = before[-1]
    position = (window - last) / (last - first)
    return -1.0 if position > 3 else _sigmoid(position)


def _sigmoid(position: float) -> float:
    return float(2 / (1 + np.exp(_STEEPNESS * position)) - 1)


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
