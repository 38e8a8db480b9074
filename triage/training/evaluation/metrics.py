"""Computes the metrics of each head from the predictions of labelled rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from triage.training.data.encode import aspect_states
from triage.training.data.labels import ASPECT_STATES, IGNORED, SENTIMENTS, Taxonomy
from triage.training.evaluation.aspect_scoring import aspect_scores
from triage.training.evaluation.bootstrap import calibration_interval, label_intervals, span_interval
from triage.training.evaluation.predictions import LABEL_HEADS, HeadPredictions, RowPrediction, head_predictions
from triage.training.evaluation.scoring import (
    calibration_error,
    confusion,
    confusion_scores,
    reliability_bins,
    span_scores,
)

HeadMetrics = dict[str, Any]
"""Values from 0 to 1 by name, the number of `texts`, and 95 % confidence intervals under `interval`."""
MAIN_METRIC = {"intent": "macro_f1", "sentiment": "macro_f1", "entities": "f1", "aspects": "f1"}
"""The metric that represents each head."""


def labels_of(head: str, taxonomy: Taxonomy) -> Sequence[str]:
    """Labels that the head `intent` or `sentiment` can predict."""
    return taxonomy.intents if head == "intent" else SENTIMENTS


def set_metrics(
    predictions: Sequence[RowPrediction], taxonomy: Taxonomy, aspects: Sequence[str] = ()
) -> dict[str, HeadMetrics]:
    """Metrics of one test set by head, for the heads that any row has labels for.

    `aspects` are those of the model; without them the head of aspects is left out.
    """
    found: dict[str, HeadMetrics] = {}
    for head in LABEL_HEADS:
        predicted = head_predictions(predictions, head, labels_of(head, taxonomy))
        if predicted is not None:
            found[head] = classification_metrics(predicted)
    if entities := entity_metrics(predictions):
        found["entities"] = entities
    if opinions := aspect_metrics(predictions, taxonomy, aspects):
        found["aspects"] = opinions
    return found


def overall_metrics(
    sets: dict[str, dict[str, HeadMetrics]],
    predictions: Sequence[RowPrediction],
    taxonomy: Taxonomy,
    aspects: Sequence[str] = (),
) -> dict[str, HeadMetrics]:
    """Metrics of all predictions pooled, by head, and `mean_ece`, the mean of the calibration errors of the sets.

    `sets` has the metrics by set and head. In the pooled error, overconfidence on one set and underconfidence on
    another cancel out; in the mean they do not.
    """
    found = set_metrics(predictions, taxonomy, aspects)
    for head in LABEL_HEADS:
        errors = [heads[head]["ece"] for heads in sets.values() if head in heads]
        if errors:
            found[head]["mean_ece"] = round(sum(errors) / len(errors), 4)
    return found


def classification_metrics(predicted: HeadPredictions) -> HeadMetrics:
    """`accuracy`, `macro_f1`, `macro_recall` and `ece` (expected calibration error), with `texts` and `interval`."""
    matrix = confusion(predicted.gold, predicted.predicted, len(predicted.labels))
    scores = {name: float(value) for name, value in confusion_scores(matrix).items()}
    scores["ece"] = calibration_error(predicted.confidence, predicted.correct)
    interval = label_intervals(matrix) | {"ece": calibration_interval(predicted.confidence, predicted.correct)}
    return {"texts": len(predicted.gold), **rounded(scores), "interval": interval}


def classification_details(predicted: HeadPredictions) -> HeadMetrics:
    """Data of the plots: `reliability` (rows of `reliability_bins`), and `confusion` [true, predicted] of `labels`.

    `labels` are those that occur as true or predicted labels.
    """
    matrix = confusion(predicted.gold, predicted.predicted, len(predicted.labels))
    occurring = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    return {
        "reliability": [rounded(row) for row in reliability_bins(predicted.confidence, predicted.correct)],
        "labels": [predicted.labels[index] for index in occurring.tolist()],
        "confusion": matrix[np.ix_(occurring, occurring)].tolist(),
    }


def entity_metrics(predictions: Sequence[RowPrediction]) -> HeadMetrics | None:
    """`precision`, `recall` and `f1` of exact spans, with `texts`, the number of true `entities`, and `interval`.

    Only types that the corpus of a row annotates count. None if no row has annotated entities.
    """
    gold, guess = [], []
    for each in predictions:
        example = each.row.example
        if example.entities is None:
            continue
        gold.append({(span.start, span.end, span.label) for span in example.entities})
        # Predicted spans of a type that the corpus does not annotate are neither right nor wrong.
        spans = each.prediction.spans
        guess.append({(span.start, span.end, span.label) for span in spans if span.label in example.known_types})
    if not gold:
        return None
    counts = np.array([(len(a & b), len(b), len(a)) for a, b in zip(gold, guess, strict=True)])
    entities = int(counts[:, 2].sum())
    scores = {"texts": len(gold), "entities": entities, **rounded(span_scores(gold, guess))}
    return {**scores, "interval": {"f1": span_interval(counts)}}


def aspect_metrics(
    predictions: Sequence[RowPrediction], taxonomy: Taxonomy, aspects: Sequence[str]
) -> HeadMetrics | None:
    """The scores of `aspect_scores`, with `texts` and `interval`; None if no row has aspects or the model has none.

    `aspects` are those of the model. Only aspects that the text was annotated for count, without those that are
    praised and criticised in the same text.
    """
    labels = replace(taxonomy, aspects=tuple(aspect for aspect in taxonomy.aspects if aspect in aspects))
    rows = [each for each in predictions if each.row.example.aspects is not None]
    if not rows or not labels.aspects:
        return None
    gold = np.array([aspect_states(each.row.example, labels) for each in rows])
    column = {aspect: index for index, aspect in enumerate(labels.aspects)}
    guess = np.zeros_like(gold)
    for row, each in enumerate(rows):
        for aspect in each.prediction.aspects:
            if aspect.label in column:
                guess[row, column[aspect.label]] = ASPECT_STATES.index(aspect.polarity)
    known = gold != IGNORED
    present, predicted = known & (gold != 0), known & (guess != 0)
    counts = np.stack([(present & (gold == guess)).sum(axis=1), predicted.sum(axis=1), present.sum(axis=1)], axis=1)
    scores = {name: round(value, 4) for name, value in aspect_scores(gold.tolist(), guess).items()}
    return {"texts": len(rows), **scores, "interval": {"f1": span_interval(counts)}}


def rounded(scores: dict[str, float]) -> dict[str, float]:
    """Scores by name, rounded to four digits; counts stay integers."""
    return {name: value if isinstance(value, int) else round(value, 4) for name, value in scores.items()}
