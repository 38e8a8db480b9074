"""Formats metrics as tables of text, for the terminal, the report and the card."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from triage.training.evaluation.metrics import MAIN_METRIC

_COLUMNS = ("macro_f1", "macro_recall", "accuracy", "f1", "ece")
_PAIRS = ("kind", "head", "pairs", "original", "perturbed", "consistency")
_SCOPE = ("texts", "other", "low_confidence", "confident_wrong")
_SELECTIVE = ("texts", "threshold", "coverage", "accuracy", "accuracy_kept", "accuracy_flagged", "aurc")
_SLICES = ("by", "slice", "head", "texts", *_COLUMNS)


@dataclass(frozen=True)
class TextTable:
    """A table of text cells; the first `names` columns hold names, the others numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int = 1


def tables(metrics: dict[str, Any]) -> Iterator[TextTable]:
    """Yield the tables of all metrics that an evaluation has, the main one first."""
    yield TextTable(
        "test sets (%; 95 % interval of the first metric)",
        ("head", "set", "texts", *_COLUMNS, "interval"),
        list(_set_rows(metrics["packs"] | ({"all": metrics["overall"]} if "overall" in metrics else {}))),
        names=2,
    )
    if goals := metrics.get("goals"):
        columns = ("set", "head", "metric", "goal", "reached", "value", "interval")
        yield TextTable("goals (%)", columns, list(_goal_rows(goals)), names=3)
    if rows := metrics.get("robustness"):
        yield TextTable("robustness (%)", _PAIRS, [_cells(row, _PAIRS) for row in rows], names=2)
    if scope := metrics.get("out_of_scope"):
        shown = [(name, *_cells(row, _SCOPE)) for name, row in scope.items()]
        yield TextTable("OOS: confident wrong intent (%)", ("texts of", *_SCOPE), shown)
    if selective := metrics.get("abstention"):
        rows = [
            (head, name, *_cells(row, _SELECTIVE))
            for head, entry in selective.items()
            for name, row in [("all", entry["all"]), *entry["sets"].items()]
        ]
        yield TextTable("selective prediction at the served threshold (%)", ("head", "set", *_SELECTIVE), rows, names=2)
    if languages := metrics.get("language"):
        shown = [(name, *_cells(row, ("texts", "accuracy"))) for name, row in languages.items()]
        yield TextTable("language identification (%)", ("set", "texts", "accuracy"), shown)
    if slices := metrics.get("slices"):
        yield TextTable("slices (%)", _SLICES, [_cells(row, _SLICES) for row in slices], names=3)
    if missing := metrics.get("missing"):
        yield TextTable("not available", ("set", "why"), [(row["pack"], row["why"]) for row in missing], names=2)


def _set_rows(sets: dict[str, Any]) -> Iterable[Sequence[str]]:
    for head, metric in MAIN_METRIC.items():
        for name, heads in sets.items():
            if metrics := heads.get(head):
                interval = _interval(metrics.get("interval", {}).get(metric))
                yield (head, name, *_cells(metrics, ("texts", *_COLUMNS)), interval)


def _goal_rows(goals: Iterable[dict[str, Any]]) -> Iterable[Sequence[str]]:
    for goal in goals:
        bound = f"≥ {100 * goal['at_least']:g}" if "at_least" in goal else f"≤ {100 * goal['at_most']:g}"
        reached = "yes" if goal["reached"] else "no"
        names = (goal["pack"], goal["head"], goal["figure"])
        yield (*names, bound, reached, _cell(goal["value"]), _interval(goal["interval"]))


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}" if bounds else ""


def _cells(row: dict[str, Any], keys: Sequence[str]) -> list[str]:
    return [_cell(row.get(key)) for key in keys]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f}" if isinstance(value, float) else str(value)
