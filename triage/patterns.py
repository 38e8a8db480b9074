"""Loads phrases and regular expressions of recognizers from YAML files next to the code."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml


@cache
def load_patterns(package: str, name: str) -> dict[str, list[str]]:
    """Load `NAME.yaml` of a package: lists of regular expressions by group name."""
    groups: dict[str, list[str]] = yaml.safe_load((files(package) / f"{name}.yaml").read_text("utf-8"))
    return groups


def any_of(patterns: Iterable[str]) -> str:
    """Return a regular expression (one non-capturing group) that matches any of the patterns, tried in order."""
    return f"(?:{'|'.join(patterns)})"
