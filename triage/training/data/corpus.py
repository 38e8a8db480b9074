"""All teachers together: train, validation and test examples, without leaks."""

import gzip
import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.training.data.contamination import HeldOut, assert_no_leak, text_key
from triage.training.data.datasets import held_out_texts
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.data.readers import READERS
from triage.training.data.training_sets import Source

SPLITS = ("train", "validation", "test")
OWN_REPEAT = 3
"""Times an epoch shows the project's (or owner's) own texts: they alone teach some intents, and are few."""


@dataclass(frozen=True)
class Corpus:
    """Examples by split and source; `dropped` counts training texts removed because they also test."""

    train: dict[str, list[Example]]
    validation: dict[str, list[Example]]
    test: dict[str, list[Example]]
    sources: dict[str, Source]
    dropped: Counter[str]

    @property
    def mix(self) -> dict[str, int]:
        """Texts of each source in an epoch."""
        return {name: self._shown(name, len(self._pool(name))) for name in self.train}

    def _shown(self, name: str, texts: int) -> int:
        source = self.sources.get(name)
        if name == "own":
            return texts * OWN_REPEAT
        if source is None:
            return texts
        return source.cap if source.cap is not None and source.cap < texts else texts * source.repeat

    def _pool(self, name: str) -> list[Example]:
        """Texts to draw from: those of a rare sentiment stand in it several times."""
        examples, source = self.train[name], self.sources.get(name)
        copies = source.copies if source else {}
        return [example for example in examples for _ in range(copies.get(example.sentiment or "", 1))]

    def epoch(self, seed: int) -> list[Example]:
        """One epoch in random order: capped sources are drawn anew, small ones repeated."""
        rng = random.Random(seed)  # noqa: S311 - sampling, not secrets
        drawn: list[Example] = []
        for name in self.train:
            examples, source = self._pool(name), self.sources.get(name)
            if name == "own":
                drawn += examples * OWN_REPEAT
            elif source is None:
                drawn += examples
            elif source.cap is not None and source.cap < len(examples):
                drawn += rng.sample(examples, source.cap)
            else:
                drawn += examples * source.repeat
        rng.shuffle(drawn)
        return drawn


def load_corpus(
    data: Path,
    sources: Sequence[Source],
    taxonomy: Taxonomy,
    own: dict[str, list[Example]] | None = None,
) -> Corpus:
    """Read every source under `data`; `own` gives further "train" and "validation" examples.

    Raises TrainingError if a pack is missing, a label has no training text, or a training text also tests.
    """
    missing = [source.path for source in sources if not (data / source.path).is_dir()]
    if missing:
        raise TrainingError(f"{data} has no {', '.join(missing)}; take these sources out of the file or fetch them")
    splits: dict[str, dict[str, list[Example]]] = {split: {} for split in SPLITS}
    for source in sources:
        for split in SPLITS:
            examples = read_split(data, source, split)
            if examples:
                splits[split][source.name] = examples
        if source.validation_share:
            _carve(splits, source)
    for split, examples in (own or {}).items():
        splits[split]["own"] = splits[split].get("own", []) + examples
    tests = held_out_texts() + [example for examples in splits["test"].values() for example in examples]
    held_out = tests + [example for examples in splits["validation"].values() for example in examples]
    dropped: Counter[str] = Counter()
    leaks = HeldOut(held_out).leaks(example for examples in splits["train"].values() for example in examples)
    for name, examples in splits["train"].items():
        kept = [example for example in examples if text_key(example.text) not in leaks]
        dropped[name] = len(examples) - len(kept)
        splits["train"][name] = kept
    assert_no_leak((example for examples in splits["train"].values() for example in examples), tests)
    _require_every_label([example for examples in splits["train"].values() for example in examples], taxonomy)
    return Corpus(splits["train"], splits["validation"], splits["test"], {s.name: s for s in sources}, dropped)


def read_split(data: Path, source: Source, split: str) -> list[Example]:
    """Labelled examples of one split; empty where the pack has no such file."""
    path = data / source.path / source.file(split)
    if not path.exists():
        return []
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows: list[dict[str, Any]] = [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    try:
        examples = list(READERS[source.reader](source.name, rows, source.entry))
    except KeyError as error:
        raise TrainingError(f"{path}: a row has no field {error}") from error
    if split != "train":
        examples = [strong(example, source) for example in examples]
    return [example for example in examples if example.labelled]


def strong(example: Example, source: Source) -> Example:
    """Without the labels that are too weak to test by."""
    return replace(
        example,
        intent=None if "intent" in source.weak else example.intent,
        sentiment=None if "sentiment" in source.weak else example.sentiment,
    )


def _carve(splits: dict[str, dict[str, list[Example]]], source: Source) -> None:
    """A validation split by a hash of the text: the same texts whatever the order or seed."""
    train = splits["train"].get(source.name, [])
    chosen = [example for example in train if share_of(example.text) < source.validation_share]
    splits["train"][source.name] = [example for example in train if share_of(example.text) >= source.validation_share]
    splits["validation"][source.name] = [strong(example, source) for example in chosen]


def share_of(text: str) -> float:
    """A number from 0 to 1 that the text alone decides, the same in every run."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 0x1_0000_0000


def _require_every_label(examples: Sequence[Example], taxonomy: Taxonomy) -> None:
    types = {entity.label for example in examples for entity in example.entities or ()}
    aspects = {aspect for example in examples for aspect, _ in example.aspects or ()}
    missing = [
        f"no training text has the {what} {', '.join(absent)}"
        for what, labels, found in (
            ("intent", taxonomy.intents, {example.intent for example in examples} - {None}),
            ("sentiment", taxonomy.sentiments, {example.sentiment for example in examples} - {None}),
            ("entity type", taxonomy.entity_types, types),
            ("aspect", taxonomy.aspects, aspects),
        )
        if (found or what == "intent") and (absent := [label for label in labels if label not in found])
    ]
    if missing:
        raise TrainingError(
            "; ".join(missing) + ": add texts (--own), map a label to it in the sources, or take it out of the taxonomy"
        )
