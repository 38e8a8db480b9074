"""Figures of aspects: was each found, and with its polarity? (No torch.)"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triage.training.data.labels import IGNORED

_ABSENT = 0


def aspect_scores(gold: ArrayLike, predicted: NDArray[np.int64]) -> dict[str, Any]:
    """From states [texts, aspects] (indices into ASPECT_STATES; gold IGNORED where nobody looked).

    `precision`, `recall`, `f1` count pairs of aspect and polarity; `macro_f1` is the mean of that F1 over the aspects
    that occur; `detection_f1` leaves the polarity aside. `pairs` is how many there were to find.
    """
    truth, guess = np.asarray(gold), predicted
    looked = truth != IGNORED
    wanted, given = looked & (truth != _ABSENT), looked & (guess != _ABSENT)
    hits = wanted & given & (truth == guess)
    occurring = wanted.any(axis=0)
    by_aspect = 2 * hits.sum(axis=0) / np.maximum(1, wanted.sum(axis=0) + given.sum(axis=0))
    return {
        "pairs": int(wanted.sum()),
        "precision": float(hits.sum() / max(1, given.sum())),
        "recall": float(hits.sum() / max(1, wanted.sum())),
        "f1": float(2 * hits.sum() / max(1, wanted.sum() + given.sum())),
        "macro_f1": float(by_aspect[occurring].mean()) if occurring.any() else 0.0,
        "detection_f1": float(2 * (wanted & given).sum() / max(1, wanted.sum() + given.sum())),
    }


def decide(probabilities: NDArray[np.floating], threshold: float) -> NDArray[np.int64]:
    """States [..., aspects] of probabilities [..., aspects, 4]: present from `threshold`, with the best polarity."""
    present = 1.0 - probabilities[..., _ABSENT] >= threshold
    return np.where(present, probabilities[..., 1:].argmax(axis=-1) + 1, _ABSENT)
