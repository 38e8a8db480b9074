"""Writes the section of a model card about the risk head, which is trained apart from the others."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triage.inference.manifest import CARD_FILE

_SECTION = re.compile(r"\n## Risks\n.*?(?=\n## |\Z)", re.DOTALL)
_BEFORE = "\n## Metrics"


def write_section(folder: Path, trained: Mapping[str, Any], thresholds: Mapping[str, float]) -> None:
    """Put the section on the risk head before the metrics in `CARD.md`, in place of an earlier one.

    Does nothing without a card. `trained` has the numbers of texts (`own`, `background`) and, by risk, `recall` and
    `false_share` of validation.
    """
    path = folder / CARD_FILE
    if not path.exists():
        return
    text = _SECTION.sub("", path.read_text(encoding="utf-8"))
    at = text.find(_BEFORE)
    at = len(text) if at < 0 else at
    path.write_text(text[:at] + "\n".join(["", *risk_section(trained, thresholds), ""]) + text[at:], encoding="utf-8")


def risk_section(trained: Mapping[str, Any], thresholds: Mapping[str, float]) -> list[str]:
    """Lines of the section on the risk head, title included.

    `trained` has the numbers of texts (`own`, `background`) and in `validation`, by risk, `recall` and `false_share`;
    `thresholds` are the probabilities from which risks are reported.
    """
    rows = [
        f"| {label} | {thresholds[label]:.2f} | {100 * scores['recall']:.1f} | {100 * scores['false_share']:.1f} |"
        for label, scores in trained["validation"].items()
    ]
    return [
        "## Risks",
        "",
        f"A head on the hidden states, trained apart from the others on {trained['own']:,} texts of risks and "
        f"{trained['background']:,} without, from the datasets and from the texts of the other heads; encoder and "
        "other heads stayed as they were. The shares are of patterns that the head was not trained on, of which most "
        "harmless ones have alarming words; docs/models.md "
        "has the shares of texts written apart.",
        "",
        "| risk | threshold | recall | false reports |",
        "| --- | --- | --- | --- |",
        *rows,
    ]
