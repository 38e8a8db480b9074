"""Figures as tables: for the terminal by rich, for the report as cells."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from triage.training.evaluation.metrics import MAIN

_COLUMNS = ("macro_f1", "macro_recall", "accuracy", "f1", "ece")
_PAIRS = ("kind", "head", "pairs", "original", "perturbed", "consistency")
_SCOPE = ("texts", "other", "low_confidence", "confident_wrong")
_ABSTAINED = ("texts", "threshold", "coverage", "accuracy", "accuracy_kept", "accuracy_flagged", "aurc")
_SLICES = ("by", "slice", "head", "texts", *_COLUMNS)


@dataclass(frozen=True)
class Figures:
    """A titled table of text cells; all columns but the first `names` are numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int = 1


def tables(metrics: dict[str, Any]) -> Iterator[Figures]:
    """The tables of everything that was measured, the main one first."""
    yield Figures(
        "test sets (%; 95 % interval of the first figure)",
        ("head", "pack", "texts", *_COLUMNS, "interval"),
        list(_set_rows(metrics["packs"] | ({"all": metrics["overall"]} if "overall" in metrics else {}))),
        names=2,
    )
    if goals := metrics.get("goals"):
        columns = ("pack", "head", "figure", "goal", "reached", "value", "interval")
        yield Figures("goals (%)", columns, list(_goal_rows(goals)), names=3)
    if rows := metrics.get("robustness"):
        yield Figures("robustness (%)", _PAIRS, [_cells(row, _PAIRS) for row in rows], names=2)
    if scope := metrics.get("out_of_scope"):
        shown = [(name, *_cells(row, _SCOPE)) for name, row in scope.items()]
        yield Figures("OOS: confident wrong intent (%)", ("texts of", *_SCOPE), shown)
    if abstained := metrics.get("abstention"):
        rows = [
            (head, name, *_cells(row, _ABSTAINED))
            for head, entry in abstained.items()
            for name, row in [("all", entry["all"]), *entry["sets"].items()]
        ]
        yield Figures("abstaining below the served threshold (%)", ("head", "pack", *_ABSTAINED), rows, names=2)
    if languages := metrics.get("language"):
        shown = [(name, *_cells(row, ("texts", "accuracy"))) for name, row in languages.items()]
        yield Figures("language identification (%)", ("pack", "texts", "accuracy"), shown)
    if slices := metrics.get("slices"):
        yield Figures("slices (%)", _SLICES, [_cells(row, _SLICES) for row in slices], names=3)
    if missing := metrics.get("missing"):
        yield Figures("not measured", ("pack", "why"), [(row["pack"], row["why"]) for row in missing], names=2)


def _set_rows(packs: dict[str, Any]) -> Iterable[Sequence[str]]:
    for head in MAIN:
        for pack, heads in packs.items():
            if figures := heads.get(head):
                interval = _interval(figures.get("interval", {}).get(MAIN[head]))
                yield (head, pack, *_cells(figures, ("texts", *_COLUMNS)), interval)


def _goal_rows(goals: Iterable[dict[str, Any]]) -> Iterable[Sequence[str]]:
    for goal in goals:
        wanted = f"≥ {100 * goal['at_least']:g}" if "at_least" in goal else f"≤ {100 * goal['at_most']:g}"
        reached = "yes" if goal["reached"] else "no"
        names = (goal["pack"], goal["head"], goal["figure"])
        yield (*names, wanted, reached, _cell(goal["value"]), _interval(goal["interval"]))


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}" if bounds else ""


def _cells(row: dict[str, Any], keys: Sequence[str]) -> list[str]:
    return [_cell(row.get(key)) for key in keys]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{100 * value:.1f}" if isinstance(value, float) else str(value)
