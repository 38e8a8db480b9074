"""Chart of a backtest: observed and expected counts and the episodes, one panel per key."""

from pathlib import Path

import numpy as np

from triage.alerting.backtest.output import step_times
from triage.alerting.backtest.run import Results
from triage.alerting.backtest.table import Table
from triage.clock import DAY_MS
from triage.errors import ConfigError, MissingExtraError

MAX_PANELS = 12


def draw(table: Table, results: Results, path: Path) -> int:
    """Write a PNG, SVG or PDF image of the keys with most episodes; returns the number of keys in it.

    The extension of `path` selects the format. Raises MissingExtraError without matplotlib, ConfigError if the file
    cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("--plot", "plots") from error
    chosen = _most_interesting(table, results)
    figure = Figure(figsize=(12, 2.2 * len(chosen) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    half = table.step_ms / DAY_MS
    for axis, code in zip(figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0], chosen, strict=True):
        rows = np.flatnonzero(table.keys.codes == code)
        at = date2num(step_times(table, table.number[rows]))
        axis.plot(at, table.negative[rows], linewidth=0.8, color="#4a5568", label="observed")
        axis.plot(at, results.expected[rows], linewidth=1.2, color="#2b6cb0", label="expected")
        for span in results.episodes:
            if span.key == code:
                first, last = date2num(step_times(table, np.array([span.first, span.last])))
                axis.axvspan(first, last + half, color="#e53e3e", alpha=0.25, linewidth=0)
        axis.set_title(table.keys.texts[code] or "(no key)", loc="left", fontsize=9)
        axis.set_ylabel("negative")
        axis.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
        axis.margins(x=0)
    figure.axes[0].legend(loc="upper left", fontsize=8)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be written: {error}", where=str(path)) from error
    return len(chosen)


def _most_interesting(table: Table, results: Results) -> list[int]:
    """Codes of the keys with most episodes, then of those with most negatives."""
    keys = len(table.keys.texts)
    episodes = np.bincount([span.key for span in results.episodes], minlength=keys)
    volume = np.bincount(table.keys.codes, weights=table.negative, minlength=keys)
    order: list[int] = np.lexsort((-volume, -episodes)).tolist()
    return order[:MAX_PANELS]
