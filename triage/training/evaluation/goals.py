"""goals.yaml: what the model is to reach, beside what it reached."""

from typing import Any

import yaml

from triage.training.data.labels import RESOURCES

ALL = "all"
"""Stands for every set together."""


def compare(packs: dict[str, Any], overall: dict[str, Any]) -> list[dict[str, Any]]:
    """Each goal whose set was measured, with `value`, `interval` and whether it was `reached`."""
    goals = yaml.safe_load((RESOURCES / "goals.yaml").read_text(encoding="utf-8"))["goals"]
    found = []
    for goal in goals:
        heads = overall if goal["pack"] == ALL else packs.get(goal["pack"], {})
        figures = heads.get(goal["head"])
        if figures is None:
            continue
        value = figures[goal["figure"]]
        least, most = goal.get("at_least", 0.0), goal.get("at_most", 1.0)
        interval = figures["interval"].get(goal["figure"])
        found.append({**goal, "value": value, "interval": interval, "reached": least <= value <= most})
    return found
