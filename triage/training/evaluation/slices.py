"""Computes metrics by language, channel, length and irony, over all sets together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from triage.training.data.labels import Taxonomy
from triage.training.evaluation.metrics import entity_metrics, labels_of, rounded
from triage.training.evaluation.predictions import LABEL_HEADS, RowPrediction, head_predictions
from triage.training.evaluation.scoring import calibration_error, classification_scores

_LENGTHS = ((20, "1-20"), (60, "21-60"), (200, "61-200"))
_ORDER = (*(name for _, name in _LENGTHS), "over 200")
BY: dict[str, Callable[[RowPrediction], str]] = {
    "language": lambda each: each.row.language,
    "channel": lambda each: each.row.channel,
    "length": lambda each: length_bucket(each.row.example.text),
    "hard": lambda each: "hard" if each.row.hard else "",
}


def length_bucket(text: str) -> str:
    """Name of the length range, in characters, that the text belongs to."""
    return next((name for most, name in _LENGTHS if len(text) <= most), _ORDER[-1])


def slice_metrics(predictions: Iterable[RowPrediction], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """One row per slice and head: `by`, `slice`, `head`, `texts` and the metrics.

    Slices are by language, channel, length of the text, and irony (`hard`). A row whose language or channel is
    unknown is in no slice of these.
    """
    groups: dict[tuple[str, str], list[RowPrediction]] = defaultdict(list)
    for each in predictions:
        for by, value_of in BY.items():
            if value := value_of(each):
                groups[by, value].append(each)
    order = sorted(
        groups, key=lambda key: (list(BY).index(key[0]), _ORDER.index(key[1]) if key[1] in _ORDER else 0, key)
    )
    return [{"by": by, "slice": value, **row} for by, value in order for row in _metrics(groups[by, value], taxonomy)]


def _metrics(predictions: Sequence[RowPrediction], taxonomy: Taxonomy) -> Iterable[dict[str, Any]]:
    for head in LABEL_HEADS:
        labels = labels_of(head, taxonomy)
        predicted = head_predictions(predictions, head, labels)
        if predicted is not None:
            scores = classification_scores(predicted.gold, predicted.predicted, len(labels))
            scores["ece"] = calibration_error(predicted.confidence, predicted.correct)
            yield {"head": head, "texts": len(predicted.gold), **rounded(scores)}
    if entities := entity_metrics(predictions):
        del entities["interval"]
        yield {"head": "entities", **entities}
