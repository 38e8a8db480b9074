"""Evaluates robustness on pairs of a text and a perturbed copy, and the handling of out-of-scope texts."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.inference.model import OnnxModel
from triage.training.data.datasets import read_rows
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.predictions import LABEL_HEADS, best_label
from triage.types import Prediction

OTHER = "other"
_SIDES = ("original", "perturbed")


@dataclass(frozen=True)
class Pair:
    """A text and its perturbed copy; `kind` names the perturbation.

    `texts` are by side (original or perturbed), `labels` by side and head.
    """

    kind: str
    texts: dict[str, str]
    labels: dict[str, dict[str, str]]


def read_pairs(path: Path, taxonomy: Taxonomy) -> list[Pair]:
    """Read pairs of texts from a JSONL file.

    Raises TrainingError for a row without the fields, or with a label that is not in the taxonomy.
    """
    known = {"intent": taxonomy.intents, "sentiment": taxonomy.sentiments}
    pairs = []
    for number, row in enumerate(read_rows(path), start=1):
        try:
            labels = {side: {head: row[side][head] for head in LABEL_HEADS} for side in _SIDES}
            pair = Pair(row["kind"], {side: row[side]["text"] for side in _SIDES}, labels)
        except (KeyError, TypeError) as error:
            raise TrainingError(f"{path}: line {number} has no {error}") from error
        for side in _SIDES:
            for head, label in pair.labels[side].items():
                if label not in known[head]:
                    raise TrainingError(f"{path}: line {number}: {head} {label!r} is not in the taxonomy")
        pairs.append(pair)
    return pairs


def robustness(
    model: OnnxModel,
    pairs: list[Pair],
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> list[dict[str, Any]]:
    """One row per perturbation and head: number of pairs, accuracy of originals and perturbed copies, consistency.

    If the labels of a pair are equal, the pair is consistent if the two predictions are equal. If the perturbation
    changes the label, both predictions must be correct. At most `limit` pairs per perturbation. Raises ModelError.
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if limit is None or len(groups[pair.kind]) < limit:
            groups[pair.kind].append(pair)
    texts = sorted({text for group in groups.values() for pair in group for text in pair.texts.values()})
    predictions = dict(zip(texts, model.predict(texts), strict=True))
    progress(len(texts), len(texts))
    return [_row(kind, head, group, predictions) for kind, group in groups.items() for head in LABEL_HEADS]


def scope_metrics(model: OnnxModel, texts: Sequence[str]) -> dict[str, Any]:
    """Shares of out-of-scope texts: intent `other`, flagged `low_confidence`, and `confident_wrong` (neither of both).

    Out-of-scope texts are those that no complaint desk can act on: they should not get another intent confidently.
    """
    predictions = model.predict(texts)
    other = sum(p.intents[0][0] == OTHER for p in predictions)
    flagged = sum(p.low_confidence for p in predictions)
    wrong = sum(p.intents[0][0] != OTHER and not p.low_confidence for p in predictions)
    count = max(1, len(texts))
    return {
        "texts": len(texts),
        "other": round(other / count, 4),
        "low_confidence": round(flagged / count, 4),
        "confident_wrong": round(wrong / count, 4),
    }


def _row(kind: str, head: str, pairs: list[Pair], predictions: dict[str, Prediction]) -> dict[str, Any]:
    correct = dict.fromkeys(_SIDES, 0)
    consistent = 0
    for pair in pairs:
        guess = {side: best_label(predictions[pair.texts[side]], head)[0] for side in _SIDES}
        gold = {side: pair.labels[side][head] for side in _SIDES}
        for side in _SIDES:
            correct[side] += guess[side] == gold[side]
        if gold["original"] == gold["perturbed"]:
            consistent += guess["original"] == guess["perturbed"]
        else:
            consistent += guess == gold
    count = len(pairs)
    accuracy = {side: round(correct[side] / count, 4) for side in _SIDES}
    return {"kind": kind, "head": head, "pairs": count, **accuracy, "consistency": round(consistent / count, 4)}
