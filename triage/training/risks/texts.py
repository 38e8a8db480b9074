"""Reads the texts of the project that train the risk head."""

import json
import lzma
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from triage.errors import TrainingError
from triage.packed import OPENERS
from triage.training.data.labels import RESOURCES
from triage.types import RiskLabel

OWN_TEXTS = "risks_train.jsonl.xz"


@dataclass(frozen=True)
class RiskText:
    """A text, its risks, and the labels that it trains; texts of one `group` were written after one pattern."""

    text: str
    risks: frozenset[str]
    known: frozenset[str]
    group: str = ""


def own_texts(path: Path | None = None) -> list[RiskText]:
    """The project's own texts with risks, or those of a JSONL file with `text`, `risks` and optionally `group`.

    Raises TrainingError for a row that lacks them, or names another risk.
    """
    path = path or Path(str(RESOURCES / OWN_TEXTS))
    known = frozenset(RiskLabel)
    found = []
    try:
        with OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                row = json.loads(line)
                text, risks = row.get("text"), row.get("risks")
                if not isinstance(text, str) or not text.strip() or not isinstance(risks, list) or set(risks) - known:
                    raise TrainingError(
                        f"{path}: line {number}: needs `text` and `risks`, a list of {', '.join(RiskLabel)}"
                    )
                found.append(RiskText(text, frozenset(risks), known, str(row.get("group") or number)))
    except (OSError, ValueError, lzma.LZMAError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    return found


def split_groups(texts: Iterable[RiskText], share: float, seed: int = 3) -> tuple[list[RiskText], list[RiskText]]:
    """Split texts into training and validation texts, a share `share` of the groups; a group stays together."""
    texts = list(texts)
    groups = sorted({text.group for text in texts})
    random.Random(seed).shuffle(groups)  # noqa: S311 - no secret
    held = set(groups[: round(len(groups) * share)])
    return [text for text in texts if text.group not in held], [text for text in texts if text.group in held]
