"""Phrases by which texts are recognized, kept as data beside the code that uses them."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml


@cache
def load_patterns(package: str, name: str) -> dict[str, list[str]]:
    """The groups of `NAME.yaml` in a package: each a list of regular expressions."""
    groups: dict[str, list[str]] = yaml.safe_load((files(package) / f"{name}.yaml").read_text("utf-8"))
    return groups


def any_of(patterns: Iterable[str]) -> str:
    """One group that matches what any of the patterns does, the first that fits."""
    return f"(?:{'|'.join(patterns)})"
