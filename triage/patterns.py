"""Loads phrases and patterns for recognizers from YAML files next to the code."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml


@cache
def load_patterns(package: str, name: str) -> dict[str, list[str]]:
    """Load the groups of `NAME.yaml` in a package; each is a list of regular expressions."""
    groups: dict[str, list[str]] = yaml.safe_load((files(package) / f"{name}.yaml").read_text("utf-8"))
    return groups


def any_of(patterns: Iterable[str]) -> str:
    """One group that matches any of the patterns, tried in order."""
    return f"(?:{'|'.join(patterns)})"
