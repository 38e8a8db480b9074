"""Figures by language, channel and length, over all sets together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from triage.training.data.labels import Taxonomy
from triage.training.evaluation.metrics import entity_figures, labels_of, rounded
from triage.training.evaluation.predictions import LABEL_HEADS, Predictions, answers
from triage.training.evaluation.scoring import calibration_error, classification

_LENGTHS = ((20, "1-20"), (60, "21-60"), (200, "61-200"))
_ORDER = (*(name for _, name in _LENGTHS), "over 200")
BY: dict[str, Callable[[Predictions], str]] = {
    "language": lambda one: one.row.language,
    "channel": lambda one: one.row.channel,
    "length": lambda one: length_bucket(one.row.example.text),
    "hard": lambda one: "hard" if one.row.hard else "",
}


def length_bucket(text: str) -> str:
    """In characters."""
    return next((name for most, name in _LENGTHS if len(text) <= most), _ORDER[-1])


def slice_figures(judged: Iterable[Predictions], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """A row for each head and slice: `by`, `slice`, `head`, `texts` and the figures. Rows without the field are out."""
    groups: dict[tuple[str, str], list[Predictions]] = defaultdict(list)
    for one in judged:
        for by, value_of in BY.items():
            if value := value_of(one):
                groups[by, value].append(one)
    order = sorted(
        groups, key=lambda key: (list(BY).index(key[0]), _ORDER.index(key[1]) if key[1] in _ORDER else 0, key)
    )
    return [{"by": by, "slice": value, **row} for by, value in order for row in _figures(groups[by, value], taxonomy)]


def _figures(rows: Sequence[Predictions], taxonomy: Taxonomy) -> Iterable[dict[str, Any]]:
    for head in LABEL_HEADS:
        labels = labels_of(head, taxonomy)
        said = answers(rows, head, labels)
        if said is not None:
            figures = classification(said.gold, said.predicted, len(labels))
            figures["ece"] = calibration_error(said.confidence, said.correct)
            yield {"head": head, "texts": len(said.gold), **rounded(figures)}
    if entities := entity_figures(rows):
        del entities["interval"]
        yield {"head": "entities", **entities}
