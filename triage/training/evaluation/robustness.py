"""Pairs of a text and a changed copy: is the copy judged rightly, and do the two judgements hang together?"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.inference.model import OnnxModel
from triage.training.data.datasets import read_rows
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.predictions import LABEL_HEADS, best
from triage.types import Prediction

_KINDS = ("original", "perturbed")


@dataclass(frozen=True)
class Pair:
    """`labels` by side (original, perturbed) and head."""

    kind: str
    texts: dict[str, str]
    labels: dict[str, dict[str, str]]


def read_pairs(path: Path, taxonomy: Taxonomy) -> list[Pair]:
    """Raises TrainingError for a row without the fields, or with a label that the taxonomy does not have."""
    known = {"intent": taxonomy.intents, "sentiment": taxonomy.sentiments}
    pairs = []
    for number, row in enumerate(read_rows(path), start=1):
        try:
            labels = {side: {head: row[side][head] for head in LABEL_HEADS} for side in _KINDS}
            pair = Pair(row["kind"], {side: row[side]["text"] for side in _KINDS}, labels)
        except (KeyError, TypeError) as error:
            raise TrainingError(f"{path}: line {number} has no {error}") from error
        for side in _KINDS:
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
    """A row for each kind and head: pairs, accuracy of the originals and of the changed, and consistency.

    Consistent is a pair whose two labels are the same where they should be, and differ as they should where the change
    flips the label: then both must be right. At most `limit` pairs a kind. Raises ModelError.
    """
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if limit is None or len(groups[pair.kind]) < limit:
            groups[pair.kind].append(pair)
    texts = sorted({text for group in groups.values() for pair in group for text in pair.texts.values()})
    said = dict(zip(texts, model.predict(texts), strict=True))
    progress(len(texts), len(texts))
    return [_row(kind, head, group, said) for kind, group in groups.items() for head in LABEL_HEADS]


def _row(kind: str, head: str, pairs: list[Pair], said: dict[str, Prediction]) -> dict[str, Any]:
    right = dict.fromkeys(_KINDS, 0)
    consistent = 0
    for pair in pairs:
        guess = {side: best(said[pair.texts[side]], head)[0] for side in _KINDS}
        gold = {side: pair.labels[side][head] for side in _KINDS}
        for side in _KINDS:
            right[side] += guess[side] == gold[side]
        if gold["original"] == gold["perturbed"]:
            consistent += guess["original"] == guess["perturbed"]
        else:
            consistent += guess == gold
    count = len(pairs)
    shares = {side: round(right[side] / count, 4) for side in _KINDS}
    return {"kind": kind, "head": head, "pairs": count, **shares, "consistency": round(consistent / count, 4)}
