"""Texts that no desk can act on must end as `other`, or flagged: never as a confident intent."""

from collections.abc import Sequence
from typing import Any

from triage.inference.model import OnnxModel

OTHER = "other"


def scope_figures(model: OnnxModel, texts: Sequence[str]) -> dict[str, Any]:
    """Shares of the texts judged `other`, flagged `low_confidence`, and confidently given another intent."""
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
