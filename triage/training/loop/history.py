"""Records the course of a run in history.jsonl and draws the learning curve."""

import json
from pathlib import Path
from typing import Any

from triage.logging import get_logger

log = get_logger(__name__)

HISTORY_FILE = "history.jsonl"
CURVE_FILE = "learning_curve.png"


class History:
    """Writes the course of a training run to history.jsonl in `folder`, one JSON object per line.

    A resumed run continues the file from the step at which it was saved.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HISTORY_FILE

    def start(self, step: int = 0) -> None:
        """Remove the lines of history.jsonl after `step`: all for a new run, those after the save for a resumed one."""
        kept = [line for line in read_history(self._path.parent) if line["step"] <= step] if step else []
        self._path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")

    def add(self, **values: Any) -> None:
        """Append `values` to history.jsonl as one line."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Read the lines of history.jsonl in a run's folder; [] if it does not exist."""
    path = folder / HISTORY_FILE
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def draw_learning_curve(folder: Path) -> Path | None:
    """Draw learning_curve.png from history.jsonl: loss and validation score of each head; returns its path.

    Without matplotlib it only logs a warning and returns None, so that a finished run does not fail.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("no_learning_curve", reason="matplotlib is not installed", fix="make setup-train")
        return None
    lines = read_history(folder)
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, quality = figure.subplots(1, 2)
    _plot(losses, [line for line in lines if "losses" in line], "losses")
    losses.set(title="Training loss (mean since the last report)", xlabel="step", yscale="log")
    _plot(quality, [line for line in lines if "validation" in line], "validation")
    quality.set(title="Validation (mean over the datasets)", xlabel="step", ylim=(0, 1))
    for axes in (losses, quality):
        axes.grid(alpha=0.3)
        if axes.get_lines():
            axes.legend(fontsize="small")
    path = folder / CURVE_FILE
    figure.savefig(path, dpi=120)
    return path


def _plot(axes: Any, lines: list[dict[str, Any]], field: str) -> None:
    for name in sorted({name for line in lines for name in line[field]}):
        points = [(line["step"], line[field][name]) for line in lines if name in line[field]]
        axes.plot(*zip(*points, strict=True), marker="o" if field == "validation" else None, label=name)
