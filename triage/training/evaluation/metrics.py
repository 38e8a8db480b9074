"""Figures of each head on judged rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from triage.training.data.labels import SENTIMENTS, Taxonomy
from triage.training.evaluation.aspects import aspect_figures
from triage.training.evaluation.bootstrap import calibration_interval, label_intervals, span_interval
from triage.training.evaluation.predictions import LABEL_HEADS, Answers, Predictions, answers
from triage.training.evaluation.scoring import calibration_error, confusion, rates, reliability, span_scores

Figures = dict[str, Any]
MAIN = {"intent": "macro_f1", "sentiment": "macro_f1", "entities": "f1", "aspects": "f1"}
"""The figure of each head that stands for it."""


def labels_of(head: str, taxonomy: Taxonomy) -> Sequence[str]:
    return taxonomy.intents if head == "intent" else SENTIMENTS


def set_figures(judged: Sequence[Predictions], taxonomy: Taxonomy, aspects: Sequence[str] = ()) -> dict[str, Figures]:
    """By head that any row has labels for: the figures, with 95 % intervals under `interval`.

    `aspects` are those that the model knows; without them that head is left out.
    """
    found: dict[str, Figures] = {}
    for head in LABEL_HEADS:
        said = answers(judged, head, labels_of(head, taxonomy))
        if said is not None:
            found[head] = label_figures(said)
    if entities := entity_figures(judged):
        found["entities"] = entities
    if opinions := aspect_figures(judged, taxonomy, aspects):
        found["aspects"] = opinions
    return found


def overall_figures(
    sets: dict[str, dict[str, Figures]], judged: Sequence[Predictions], taxonomy: Taxonomy, aspects: Sequence[str] = ()
) -> dict[str, Figures]:
    """Figures of all sets together, and `mean_ece`: the mean of the sets' own calibration errors.

    Together, sets that are judged too surely and too timidly cancel out; the mean does not let them.
    """
    found = set_figures(judged, taxonomy, aspects)
    for head in LABEL_HEADS:
        errors = [heads[head]["ece"] for heads in sets.values() if head in heads]
        if errors:
            found[head]["mean_ece"] = round(sum(errors) / len(errors), 4)
    return found


def label_figures(said: Answers) -> Figures:
    """Accuracy, macro-F1, macro-recall and calibration error, each with its interval."""
    matrix = confusion(said.gold, said.predicted, len(said.labels))
    figures = {name: float(value) for name, value in rates(matrix).items()}
    figures["ece"] = calibration_error(said.confidence, said.correct)
    interval = label_intervals(matrix) | {"ece": calibration_interval(said.confidence, said.correct)}
    return {"texts": len(said.gold), **rounded(figures), "interval": interval}


def label_details(said: Answers) -> Figures:
    """What plots need: reliability bins, and the confusion matrix of the labels that occur."""
    matrix = confusion(said.gold, said.predicted, len(said.labels))
    occurring = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    return {
        "reliability": [rounded(row) for row in reliability(said.confidence, said.correct)],
        "labels": [said.labels[index] for index in occurring.tolist()],
        "confusion": matrix[np.ix_(occurring, occurring)].tolist(),
    }


def entity_figures(judged: Sequence[Predictions]) -> Figures | None:
    """Precision, recall and F1 of exact spans, within the types that each corpus tags; None without tagged rows."""
    gold, guess = [], []
    for one in judged:
        example = one.row.example
        if example.entities is None:
            continue
        gold.append({(span.start, span.end, span.label) for span in example.entities})
        # What a corpus never annotates cannot be called wrong in it.
        spans = one.prediction.spans
        guess.append({(span.start, span.end, span.label) for span in spans if span.label in example.known_types})
    if not gold:
        return None
    counts = np.array([(len(a & b), len(b), len(a)) for a, b in zip(gold, guess, strict=True)])
    entities = int(counts[:, 2].sum())
    figures = {"texts": len(gold), "entities": entities, **rounded(span_scores(gold, guess))}
    return {**figures, "interval": {"f1": span_interval(counts)}}


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: value if isinstance(value, int) else round(value, 4) for name, value in figures.items()}
