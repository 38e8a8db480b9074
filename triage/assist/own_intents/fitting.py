"""Fits an own intent: the centroid of its examples, and a limit that few other texts reach."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.assist.own_intents.head import Added, OwnIntentsHead, Vectors, centred
from triage.errors import ConfigError
from triage.intervals import wilson

MIN_EXAMPLES = 5
MIN_OTHERS = 200
CAPTURE = 0.01


@dataclass(frozen=True)
class Fit:
    """A fitted own intent: its entry for the head, the centroid [d] of its examples, and doubts in sentences."""

    added: Added
    centroid: Vectors
    doubts: tuple[str, ...]


def fit_intent(
    name: str, examples: Vectors, others: Vectors, head: OwnIntentsHead, added_at: str, capture: float = CAPTURE
) -> Fit:
    """Fit the own intent `name` to vectors of its examples [n, d] and of other texts [m, d].

    The limit is reached by at most a share `capture` of the other texts, and is never below the similarity that half
    of the left-out examples have, less 0.3: examples that resemble each other closely need no wider circle. `head`
    gives the mean vector to subtract, `added_at` is the time (RFC 3339). Raises ConfigError for too few texts.
    """
    if len(examples) < MIN_EXAMPLES:
        raise ConfigError(
            f"{name} has {len(examples)} different examples; at least {MIN_EXAMPLES} are needed, better 8"
        )
    if len(others) < MIN_OTHERS:
        raise ConfigError(
            f"{len(others)} other texts; at least {MIN_OTHERS} are needed to fit a limit: name more by --others FILE"
        )
    inside, outside = centred(examples, head.centre), centred(others, head.centre)
    centroid = _unit(inside.mean(axis=0))
    left_out = _left_out(inside)
    beyond = np.sort(outside @ centroid)
    limit = float(np.nextafter(beyond[-1 - int(capture * len(beyond))], np.float32(2)))
    limit = max(limit, float(np.median(left_out)) - 0.3)
    resemblance = float((left_out >= limit).mean())
    doubts = []
    if resemblance < 0.5:
        doubts.append(
            f"only {resemblance:.0%} of the examples would be found without themselves: texts like them are too common "
            "among the other texts, or the examples mean different things. Take those out of --others, or split the "
            "intent"
        )
    for place, each in enumerate(head.intents):
        if each.name != name and (nearness := float(head.centroids[place] @ centroid)) >= max(limit, each.limit):
            doubts.append(f"it resembles {each.name} (similarity {nearness:.2f}): a text may get both")
    return Fit(
        Added(
            name=name,
            examples=len(examples),
            added_at=added_at,
            limit=limit,
            resemblance=resemblance,
            others=len(others),
            captured=float((beyond >= limit).mean()),
        ),
        centroid,
        tuple(doubts),
    )


def _left_out(vectors: Vectors) -> NDArray[np.float32]:
    """Similarity of each example to the centroid of the others."""
    total = vectors.sum(axis=0)
    return np.array([each @ _unit(total - each) for each in vectors], np.float32)


def _unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


class Result(msgspec.Struct, kw_only=True):
    """Results of one own intent on labelled texts: `found` of its `texts`, and `captured` of the `others`.

    `recall` and `captured_share` are (share, low, high) with Wilson's 95 % interval.
    """

    name: str
    texts: int
    found: int
    recall: tuple[float, float, float]
    others: int
    captured: int
    captured_share: tuple[float, float, float]


def evaluate(head: OwnIntentsHead, vectors: Vectors, labels: list[str]) -> list[Result]:
    """Measure each own intent of `head` on vectors [n, d] and `labels` [n]; other labels' texts should not reach it."""
    truth, margins = np.array(labels), head.similarities(vectors)
    results = []
    for place, each in enumerate(head.intents):
        taken, own = margins[:, place] >= each.limit, truth == each.name
        texts, found = int(own.sum()), int((taken & own).sum())
        others, captured = int((~own).sum()), int((taken & ~own).sum())
        results.append(
            Result(
                name=each.name,
                texts=texts,
                found=found,
                recall=_share(found, texts),
                others=others,
                captured=captured,
                captured_share=_share(captured, others),
            )
        )
    return results


def _share(part: int, whole: int) -> tuple[float, float, float]:
    return part / whole if whole else 0.0, *wilson(part, whole)
