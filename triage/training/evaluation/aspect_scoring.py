"""Scores the aspect head: detection of each aspect, alone and with its polarity. Imported without torch."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triage.training.data.labels import IGNORED

_ABSENT = 0


def aspect_scores(gold: ArrayLike, predicted: NDArray[np.int64]) -> dict[str, Any]:
    """Scores of predicted states [texts, aspects] (indices into ASPECT_STATES); `gold` is IGNORED where not annotated.

    `precision`, `recall` and `f1` count pairs of aspect and polarity; `macro_f1` is the mean of that F1 over the
    aspects that occur; `detection_f1` ignores the polarity. `pairs` is the number of pairs in `gold`.
    """
    truth, guess = np.asarray(gold), predicted
    annotated = truth != IGNORED
    expected, found = annotated & (truth != _ABSENT), annotated & (guess != _ABSENT)
    hits = expected & found & (truth == guess)
    occurring = expected.any(axis=0)
    by_aspect = 2 * hits.sum(axis=0) / np.maximum(1, expected.sum(axis=0) + found.sum(axis=0))
    return {
        "pairs": int(expected.sum()),
        "precision": float(hits.sum() / max(1, found.sum())),
        "recall": float(hits.sum() / max(1, expected.sum())),
        "f1": float(2 * hits.sum() / max(1, expected.sum() + found.sum())),
        "macro_f1": float(by_aspect[occurring].mean()) if occurring.any() else 0.0,
        "detection_f1": float(2 * (expected & found).sum() / max(1, expected.sum() + found.sum())),
    }


def predicted_states(probabilities: NDArray[np.floating], threshold: float) -> NDArray[np.int64]:
    """Convert probabilities [..., aspects, 4] of the states in ASPECT_STATES to the predicted states [..., aspects].

    An aspect is present if its probability of presence reaches `threshold`; it then has the most probable polarity.
    """
    present = 1.0 - probabilities[..., _ABSENT] >= threshold
    return np.where(present, probabilities[..., 1:].argmax(axis=-1) + 1, _ABSENT)
