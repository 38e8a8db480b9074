"""Reads the training sets (sources.yaml): the datasets to train on, and how their labels map to the taxonomy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from triage.errors import ConfigError
from triage.training.data.labels import RESOURCES, SENTIMENTS, Taxonomy
from triage.training.data.readers import READERS
from triage.training.data.readers.aspects import mapped_aspects


@dataclass(frozen=True)
class TrainingSet:
    """One source of sources.yaml: path and reader of a dataset, and how much of it an epoch contains.

    `entry` is its mapping in the file.
    """

    name: str
    reader: str
    entry: dict[str, Any]

    @property
    def path(self) -> str:
        return str(self.entry["path"])

    @property
    def cap(self) -> int | None:
        """Number of texts that an epoch samples from this source; None: all of them."""
        return self.entry.get("cap")

    @property
    def repeat(self) -> int:
        """Number of times that an epoch contains each text, for sources that are not capped."""
        return int(self.entry.get("repeat", 1))

    @property
    def weak(self) -> frozenset[str]:
        """Heads whose labels are used in training but not in validation and test."""
        return frozenset(self.entry.get("weak", ()))

    @property
    def has_aspects(self) -> bool:
        return "aspects" in self.entry

    @property
    def validation_share(self) -> float:
        """Share of the training split that is used for validation, for datasets without a validation split."""
        return float(self.entry.get("validation_share", 0.0))

    @property
    def copies(self) -> dict[str, int]:
        """By sentiment, how often the pool that an epoch samples from contains each text; 1 for other sentiments."""
        return {str(label): int(times) for label, times in self.entry.get("copies", {}).items()}

    def file(self, split: str) -> str:
        """File name of a split (train, validation or test) of this dataset."""
        return str(self.entry.get("files", "{split}")).format(split=split) + ".jsonl.gz"


def load_training_sets(taxonomy: Taxonomy, path: Path | None = None) -> list[TrainingSet]:
    """Read and check a sources file, by default the shipped one.

    For a taxonomy without aspects the aspects of the sources are left out. Raises ConfigError naming every problem,
    such as labels that are not in `taxonomy`.
    """
    where = str(path) if path else "sources.yaml"
    try:
        text = path.read_text(encoding="utf-8") if path else (RESOURCES / "sources.yaml").read_text(encoding="utf-8")
        data = yaml.safe_load(text)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {error}", where=where) from error
    entries = data.get("sources") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        raise ConfigError("must be a mapping with a mapping `sources`", where=where)
    problems = [problem for name, entry in entries.items() for problem in _problems(name, entry, taxonomy)]
    if problems:
        raise ConfigError(problems, where=where)
    if not taxonomy.aspects:
        entries = {
            name: {key: rule for key, rule in entry.items() if key != "aspects"} for name, entry in entries.items()
        }
    return [TrainingSet(name, entry["reader"], entry) for name, entry in entries.items()]


def _problems(name: str, entry: Any, taxonomy: Taxonomy) -> Iterator[str]:
    if not isinstance(entry, dict) or "path" not in entry or entry.get("reader") not in READERS:
        yield f"{name} needs a path and a reader, one of {', '.join(sorted(READERS))}"
        return
    yield from _unknown(f"{name}.intent", _targets(entry.get("intent")), taxonomy.intents)
    for rules in entry.get("intent_by_category", {}).values():
        yield from _unknown(f"{name}.intent_by_category", rules.values(), taxonomy.intents)
    yield from _unknown(f"{name}.sentiment", _targets(entry.get("sentiment")), SENTIMENTS)
    yield from _unknown(f"{name}.copies", entry.get("copies", {}), SENTIMENTS)
    if rules := entry.get("aspects"):
        if not isinstance(rules, dict) or not {"known", "map"} <= set(rules):
            yield f"{name}.aspects needs known and map"
        elif taxonomy.aspects:
            yield from _unknown(f"{name}.aspects", mapped_aspects(rules), taxonomy.aspects)
    types = (*entry.get("types", {}).values(), *entry.get("known_types", ()))
    yield from _unknown(f"{name}.types", types, taxonomy.entity_types)


def _targets(rule: dict[str, Any] | None) -> list[str | None]:
    if not rule:
        return []
    return [rule.get("constant"), rule.get("default"), *rule.get("map", {}).values()]


def _unknown(where: str, labels: Iterable[str | None], known: Iterable[str]) -> Iterator[str]:
    names = set(known)
    for label in sorted({label for label in labels if label is not None} - names):
        yield f"{where}: {label!r} is not in the taxonomy ({', '.join(known)})"
