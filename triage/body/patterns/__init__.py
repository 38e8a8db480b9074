"""Phrases by which parts of a message are recognized, in all languages, as data."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import yaml


@cache
def load_patterns(name: str) -> dict[str, list[str]]:
    """The groups of `NAME.yaml`: each a list of regular expressions."""
    text = (files(__name__) / f"{name}.yaml").read_text("utf-8")
    groups: dict[str, list[str]] = yaml.safe_load(text)
    return groups


def any_of(patterns: Iterable[str]) -> str:
    """One group that matches what any of the patterns does, the first that fits."""
    return f"(?:{'|'.join(patterns)})"
