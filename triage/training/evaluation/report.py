"""Writes the evaluation report (`--report DIR`): a page of all tables, and plots if matplotlib is installed."""

import importlib.util
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from triage.errors import ConfigError
from triage.training.data.files import write_json
from triage.training.evaluation.tables import TextTable, tables

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 2rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right; }
.name { text-align: left; } img { max-width: 100%; }
"""


def write_report(folder: Path, metrics: dict[str, Any]) -> list[Path]:
    """Write `metrics`, the result of `evaluate_model`: index.html, figures.json, and plots if matplotlib is installed.

    Returns the paths of the files. Raises ConfigError if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        plots = list(_plots(folder, metrics))
        page, data = folder / "index.html", folder / "figures.json"
        page.write_text(_page(metrics, plots), encoding="utf-8")
        write_json(data, metrics)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written (--report): {error.strerror}") from error
    return [page, data, *plots]


def has_matplotlib() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def _plots(folder: Path, metrics: dict[str, Any]) -> Iterable[Path]:
    if not has_matplotlib():
        return
    from triage.training.evaluation.plots import confusion_plot, reliability_plot, risk_coverage_plot

    for head, details in metrics["details"].items():
        yield reliability_plot(folder / f"reliability-{head}.png", head, details["reliability"])
        yield confusion_plot(folder / f"confusion-{head}.png", head, details["labels"], details["confusion"])
    if metrics["abstention"]:
        curves = {head: entry["all"] for head, entry in metrics["abstention"].items()}
        yield risk_coverage_plot(folder / "coverage.png", curves)


def _page(metrics: dict[str, Any], plots: list[Path]) -> str:
    images = "".join(f'<p><img src="{escape(path.name)}" alt="{escape(path.stem)}"></p>\n' for path in plots)
    if not plots:
        images = "<p>No plots: matplotlib is not installed (<code>pip install 'triage-feedback[plots]'</code>).</p>\n"
    title = f"Evaluation of {escape(metrics['model'])}"
    body = "".join(_table(table) for table in tables(metrics))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{_STYLE}</style>\n'
        f"<h1>{title}</h1>\n{body}<h2>Plots</h2>\n{images}</html>\n"
    )


def _table(table: TextTable) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        classes = (' class="name"' if place < table.names else "" for place in range(len(table.columns)))
        html = (f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(classes, cells, strict=True))
        return f"<tr>{''.join(html)}</tr>\n"

    rows = "".join(row(cells, "td") for cells in table.rows)
    return f"<h2>{escape(table.title)}</h2>\n<table>\n{row(table.columns, 'th')}{rows}</table>\n"
