"""Defines contenders and their labels of a text in a form that can be compared."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from triage.inference.manifest import Manifest
from triage.inference.runtime import Logits
from triage.types import Prediction

HEADS = ("intent", "sentiment", "entities")


class Labels(NamedTuple):
    """Intent, sentiment, and entities as (start, end, label) of a text."""

    intent: str
    sentiment: str
    entities: frozenset[tuple[int, int, str]]


class Contender(NamedTuple):
    """One row of the table.

    `classify` returns the labels of texts; `raw` means labels directly from the logits, without calibration and merging
    of entities. A `slow` contender is timed on a part of the texts. `fill` returns the share of useful tokens of the
    last call, if known.
    """

    name: str
    classify: Callable[[Sequence[str]], list[Labels]]
    raw: bool = False
    slow: bool = False
    heads: tuple[str, ...] = HEADS
    fill: Callable[[], float] | None = None


def labels_of(prediction: Prediction) -> Labels:
    """Labels of a prediction of triage."""
    return Labels(
        prediction.intents[0][0],
        max(prediction.sentiment, key=prediction.sentiment.__getitem__),
        frozenset((span.start, span.end, span.label) for span in prediction.spans),
    )


def raw_labels(manifest: Manifest, logits: Logits, row: int, offsets: list[list[int]]) -> Labels:
    """Best label of each head, and the tagged tokens as (start, end, tag), of the text in row `row` of a batch."""
    tags = logits.entity[row].argmax(axis=1)[: len(offsets)]
    return Labels(
        manifest.intents[int(logits.intent[row].argmax())],
        manifest.sentiments[int(logits.sentiment[row].argmax())],
        frozenset(
            (start, end, manifest.entity_tags[tag])
            for (start, end), tag in zip(offsets, tags.tolist(), strict=True)
            if tag and end > start
        ),
    )


def agreement(found: Sequence[Labels], reference: Sequence[Labels], heads: Sequence[str]) -> dict[str, float]:
    """Share of texts with equal labels, in percent, for each head; `labels` is the mean over the heads."""
    shares = {
        head: 100
        * float(np.mean([getattr(a, head) == getattr(b, head) for a, b in zip(found, reference, strict=True)]))
        for head in heads
    }
    return shares | {"labels": sum(shares.values()) / len(shares)}
