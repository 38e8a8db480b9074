"""What a contender says of a text, in the form in which contenders can be compared."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from triage.inference.manifest import Manifest
from triage.inference.runtime import Logits
from triage.types import Prediction

HEADS = ("intent", "sentiment", "entities")


class Said(NamedTuple):
    intent: str
    sentiment: str
    entities: frozenset[tuple[int, int, str]]


class Contender(NamedTuple):
    """One line of the table. `raw`: labels straight from the logits, without calibration and merging of entities.

    A `slow` one is timed on a part of the texts. `padding` has the tokens computed a second time round, where it is
    known: useful tokens of all tokens.
    """

    name: str
    judge: Callable[[Sequence[str]], list[Said]]
    raw: bool = False
    slow: bool = False
    heads: tuple[str, ...] = HEADS
    fill: Callable[[], float] | None = None


def said(prediction: Prediction) -> Said:
    return Said(
        prediction.intents[0][0],
        max(prediction.sentiment, key=prediction.sentiment.__getitem__),
        frozenset((span.start, span.end, span.label) for span in prediction.spans),
    )


def raw_said(manifest: Manifest, logits: Logits, row: int, offsets: list[list[int]]) -> Said:
    """Best label of each head, and the tokens of a text that have a tag, as start, end and tag."""
    tags = logits.entity[row].argmax(axis=1)[: len(offsets)]
    return Said(
        manifest.intents[int(logits.intent[row].argmax())],
        manifest.sentiments[int(logits.sentiment[row].argmax())],
        frozenset(
            (start, end, manifest.entity_tags[tag])
            for (start, end), tag in zip(offsets, tags.tolist(), strict=True)
            if tag and end > start
        ),
    )


def agreement(ours: Sequence[Said], reference: Sequence[Said], heads: Sequence[str]) -> dict[str, float]:
    """Share of texts, in percent, of which both say the same, for each head; `labels` is the mean over the heads."""
    shares = {
        head: 100 * float(np.mean([getattr(a, head) == getattr(b, head) for a, b in zip(ours, reference, strict=True)]))
        for head in heads
    }
    return shares | {"labels": sum(shares.values()) / len(shares)}
