"""Results of a model on its test sets, from metrics.json, and losses compared with another model."""

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from triage.decoding import DecodeError, decoded

METRICS_FILE = "metrics.json"
MAIN_METRIC = {"intent": "macro_f1", "sentiment": "macro_recall", "entities": "f1", "aspects": "f1"}
"""The metric that represents each head, from 0 to 1."""
TOLERANCE = 0.01
"""Loss on a test set that is accepted: one point of a hundred. Few sets are large enough to tell less apart."""


class EvaluatedHead(NamedTuple):
    """One head evaluated on one test set; `name` is the name of the set."""

    head: str
    name: str

    def __str__(self) -> str:
        return f"{self.head} on {self.name}"


class Comparison(NamedTuple):
    """Results of a model compared with those of the serving model.

    `losses` are the test sets on which the model loses more than TOLERANCE, with (serving, new), largest loss first.
    `unmeasured` are the test sets of the serving model on which the other was not evaluated.
    """

    losses: dict[EvaluatedHead, tuple[float, float]]
    unmeasured: list[EvaluatedHead]


def read_figures(folder: Path) -> dict[EvaluatedHead, float]:
    """Read the main metric of each head on each test set from metrics.json; {} if the file is missing or damaged."""
    return {
        EvaluatedHead(head, name): value
        for name, heads in _packs(folder).items()
        if isinstance(heads, dict)
        for head, metric in MAIN_METRIC.items()
        if isinstance(heads.get(head), dict) and isinstance(value := heads[head].get(metric), (int, float))
    }


def compare_figures(new: Path, serving: Path) -> Comparison:
    """Compare metrics.json of the model folders `new` and `serving`, test set by test set.

    Results of a sample (`triage evaluate --limit`) count as not measured, unless both samples have the same size.
    """
    before, after = read_figures(serving), read_figures(new)
    if _limit(new) != _limit(serving):
        after = {}
    losses = {each: (value, after[each]) for each, value in before.items() if each in after}
    lost = {each: pair for each, pair in losses.items() if pair[0] - pair[1] > TOLERANCE + 1e-9}
    return Comparison(
        dict(sorted(lost.items(), key=lambda item: item[1][1] - item[1][0])),
        [each for each in before if each not in after],
    )


def _packs(folder: Path) -> dict[str, Any]:
    packs = _content(folder).get("packs")
    return packs if isinstance(packs, dict) else {}


def _limit(folder: Path) -> Any:
    return _content(folder).get("limit")


def _content(folder: Path) -> dict[str, Any]:
    try:
        content = decoded(msgspec.json.decode, (folder / METRICS_FILE).read_bytes())
    except (OSError, DecodeError):
        return {}
    return content if isinstance(content, dict) else {}
