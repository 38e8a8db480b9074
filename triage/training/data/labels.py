"""Defines the labels of the heads (taxonomy), and the BIO tags of the entity head."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from triage.errors import ConfigError

RESOURCES = files("triage.training") / "resources"
SENTIMENTS = ("negative", "neutral", "positive")
"""Fixed names: serving computes the sentiment score as p(positive) - p(negative)."""
ASPECT_STATES = ("absent", *SENTIMENTS)
"""States of each aspect, in the order of the last axis of the aspect output."""
IGNORED = -100
"""Label id that losses and metrics leave out."""
HEADS = ("intent", "sentiment", "entities", "aspects")
"""In the order of the model's outputs; the last is optional."""
_FIELDS = ("version", "intents", "sentiments", "entity_types", "aspects")


@dataclass(frozen=True)
class Taxonomy:
    """The labels that a model can predict, by head, in the order of the model's outputs."""

    version: str
    intents: tuple[str, ...]
    sentiments: tuple[str, ...]
    entity_types: tuple[str, ...]
    aspects: tuple[str, ...] = ()

    @cached_property
    def entity_tags(self) -> tuple[str, ...]:
        """BIO tags: O, then B- and I- of each type."""
        return ("O", *(f"{prefix}-{name}" for name in self.entity_types for prefix in "BI"))

    def allowed_tags(self, known_types: Iterable[str]) -> tuple[bool, ...]:
        """Mask [tags] of the tags that are possible in a text annotated only for `known_types`; O always is."""
        known = set(known_types)
        return tuple(tag == "O" or tag[2:] in known for tag in self.entity_tags)


def default_taxonomy_text() -> str:
    return (RESOURCES / "taxonomy.yaml").read_text(encoding="utf-8")


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file, by default the shipped one. Raises ConfigError naming every problem."""
    where = str(path) if path else "taxonomy.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8") if path else default_taxonomy_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {error}", where=where) from error
    if not isinstance(data, dict):
        raise ConfigError("must be a mapping with version, intents, sentiments and entity_types", where=where)
    problems = list(_problems(data))
    if problems:
        raise ConfigError(problems, where=where)
    return Taxonomy(
        version=data["version"],
        intents=tuple(data["intents"]),
        sentiments=tuple(data["sentiments"]),
        entity_types=tuple(data["entity_types"]),
        aspects=tuple(data.get("aspects", ())),
    )


def _problems(data: dict[str, Any]) -> Iterable[str]:
    if not isinstance(data.get("version"), str) or not data["version"].strip():
        yield f"version must be a non-empty string in quotes, not {data.get('version')!r}"
    for name, least in (("intents", 2), ("sentiments", 3), ("entity_types", 1), ("aspects", 0)):
        labels: Sequence[Any] | Any = data.get(name, [] if least == 0 else None)
        if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
            yield f"{name} must be a list of names, not {labels!r}"
        elif len(set(labels)) != len(labels):
            repeated = sorted({label for label in labels if labels.count(label) > 1})
            yield f"{name} names {', '.join(repeated)} more than once"
        elif len(labels) < least:
            yield f"{name} needs at least {least} names, not {len(labels)}"
        elif name == "sentiments" and tuple(labels) != SENTIMENTS:
            yield f"sentiments must be {list(SENTIMENTS)} in this order: scores and alerts depend on them"
    for unknown in sorted(set(data) - set(_FIELDS)):
        yield f"{unknown} is not a field; known are {', '.join(_FIELDS)}"
