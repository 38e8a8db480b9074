"""What it costs to abstain: accuracy of the texts that are kept when the least certain are left to people."""

from typing import Any

import numpy as np

from triage.training.evaluation.predictions import Answers

COVERAGES = tuple(step / 20 for step in range(10, 21))


def abstention(said: Answers, threshold: float) -> dict[str, Any]:
    """At the served `threshold`, and as a curve (coverage, accuracy of the kept) from half of the texts to all.

    `aurc` is the area under the risk-coverage curve: the mean error of the kept texts over every coverage
    (Geifman and El-Yaniv 2017, Selective Classification for Deep Neural Networks).
    """
    order = np.argsort(-said.confidence, kind="stable")
    right = said.correct[order]
    accuracy = np.cumsum(right) / np.arange(1, len(right) + 1)
    kept = said.confidence >= threshold
    return {
        "texts": len(right),
        "threshold": threshold,
        "coverage": round(float(kept.mean()), 4),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_kept": _mean(said.correct[kept]),
        "accuracy_flagged": _mean(said.correct[~kept]),
        "aurc": round(float((1 - accuracy).mean()), 4),
        "curve": [
            {"coverage": share, "accuracy": round(float(accuracy[max(1, round(share * len(right))) - 1]), 4)}
            for share in COVERAGES
        ],
    }


def _mean(values: Any) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
