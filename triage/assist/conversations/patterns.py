"""Reads the patterns of `patterns.yaml`."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("patterns.yaml")
_PART = re.compile(r"\{([A-Z]+)\}")


def compiled(name: str) -> dict[str, re.Pattern[str]]:
    """Return the patterns of the section `name` of patterns.yaml by language, each compiled to one expression."""
    data = _data()
    parts: dict[str, str] = data["parts"]

    def whole(patterns: list[str]) -> re.Pattern[str]:
        return re.compile("|".join(_PART.sub(lambda found: parts[found[1]], each) for each in patterns))

    return {language: whole(patterns) for language, patterns in data[name].items()}


def spelling() -> tuple[str, ...]:
    """Words of customers' wishes that are recognized even if misspelt."""
    return tuple(_data()["spelling"])


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return data
