"""Draws the plots of the evaluation report. Needs matplotlib."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

_DPI = 110


def reliability_plot(path: Path, head: str, bins: list[dict[str, float]]) -> Path:
    """Plot accuracy over confidence by bin, and the numbers of texts; a calibrated head follows the diagonal.

    `bins` are rows of `reliability_bins`. Returns the path of the file.
    """
    figure = Figure(figsize=(5, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    confidence = [row["confidence"] for row in bins]
    upper.plot((0, 1), (0, 1), color="0.7", linestyle="--")
    upper.plot(confidence, [row["accuracy"] for row in bins], marker="o")
    upper.set(title=f"{head}: reliability", ylabel="accuracy", ylim=(0, 1), xlim=(0, 1))
    lower.bar([row["low"] for row in bins], [row["texts"] for row in bins], width=1 / 15, align="edge", color="0.6")
    lower.set(xlabel="confidence", ylabel="texts")
    return _save(figure, path)


def confusion_plot(path: Path, head: str, labels: list[str], matrix: list[list[int]]) -> Path:
    """Plot the confusion matrix of a head with counts, and with shares of each true label (row); returns the path."""
    counts = np.array(matrix)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    size = 2.5 + 0.55 * len(labels)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(title=f"{head}: confusion", xlabel="predicted", ylabel="true")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            shade = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize=7)
    return _save(figure, path)


def risk_coverage_plot(path: Path, curves: dict[str, dict[str, Any]]) -> Path:
    """Plot the accuracy of the kept texts over their share of all texts, one curve per head; returns `path`.

    `curves` has the result of `selective_prediction` for each head. A cross marks the threshold that is served.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for head, entry in curves.items():
        points = entry["curve"]
        (line,) = axes.plot([p["coverage"] for p in points], [p["accuracy"] for p in points], marker=".", label=head)
        if entry["accuracy_kept"] is not None:
            axes.plot(entry["coverage"], entry["accuracy_kept"], marker="x", markersize=10, color=line.get_color())
    axes.set(title="selective prediction", xlabel="coverage", ylabel="accuracy of the kept texts")
    axes.legend()
    return _save(figure, path)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=_DPI)
    return path
