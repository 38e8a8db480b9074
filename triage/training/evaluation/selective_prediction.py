"""Measures selective prediction: accuracy of the texts that are kept when the least confident ones are rejected."""

from typing import Any

import numpy as np

from triage.training.evaluation.predictions import HeadPredictions

COVERAGES = tuple(step / 20 for step in range(10, 21))


def selective_prediction(predicted: HeadPredictions, threshold: float) -> dict[str, Any]:
    """Metrics at the served `threshold`, and the curve of (coverage, accuracy of the kept texts) from 50 to 100 %.

    `coverage` is the share of texts with a confidence of at least `threshold`, `accuracy_kept` their accuracy,
    `accuracy_flagged` that of the others. `aurc` is the area under the risk-coverage curve, the mean error of the kept
    texts over every coverage (Geifman and El-Yaniv 2017, Selective Classification for Deep Neural Networks).
    """
    order = np.argsort(-predicted.confidence, kind="stable")
    correct = predicted.correct[order]
    accuracy = np.cumsum(correct) / np.arange(1, len(correct) + 1)
    kept = predicted.confidence >= threshold
    return {
        "texts": len(correct),
        "threshold": threshold,
        "coverage": round(float(kept.mean()), 4),
        "accuracy": round(float(correct.mean()), 4),
        "accuracy_kept": _mean(predicted.correct[kept]),
        "accuracy_flagged": _mean(predicted.correct[~kept]),
        "aurc": round(float((1 - accuracy).mean()), 4),
        "curve": [
            {"coverage": share, "accuracy": round(float(accuracy[max(1, round(share * len(correct))) - 1]), 4)}
            for share in COVERAGES
        ],
    }


def _mean(values: Any) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
