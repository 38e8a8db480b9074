"""All teachers together: train, validation and test examples, without leaks."""

import gzip
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.training.examples import Example
from triage.training.labels import Taxonomy
from triage.training.leak import assert_no_leak, drop_leaks
from triage.training.readers import READERS
from triage.training.sources import Source

SPLITS = ("train", "validation", "test")
OWN_REPEAT = 6
"""Times an epoch shows the project's (or owner's) own texts: they alone teach some intents, and are few."""


@dataclass(frozen=True)
class Corpus:
    """Examples by split and source; `dropped` counts training texts removed because they also test."""

    train: dict[str, list[Example]]
    validation: dict[str, list[Example]]
    test: dict[str, list[Example]]
    sources: dict[str, Source]
    dropped: Counter[str]

    def epoch(self, seed: int) -> list[Example]:
        """One epoch in random order: capped sources are drawn anew, small ones repeated."""
        rng = random.Random(seed)  # noqa: S311 - sampling, not secrets
        drawn: list[Example] = []
        for name, examples in self.train.items():
            source = self.sources.get(name)
            if source is None:
                drawn += examples * OWN_REPEAT
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

    Raises TrainingError if a pack is missing, an intent has no training text, or a training text also tests.
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
    tests = [example for examples in splits["test"].values() for example in examples]
    held_out = tests + [example for examples in splits["validation"].values() for example in examples]
    dropped: Counter[str] = Counter()
    for name, examples in splits["train"].items():
        kept = drop_leaks(examples, held_out)
        dropped[name] = len(examples) - len(kept)
        splits["train"][name] = kept
    assert_no_leak((example for examples in splits["train"].values() for example in examples), tests)
    _require_every_intent(splits["train"].values(), taxonomy)
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
    chosen = [example for example in train if _share(example.text) < source.validation_share]
    splits["train"][source.name] = [example for example in train if _share(example.text) >= source.validation_share]
    splits["validation"][source.name] = [strong(example, source) for example in chosen]


def _share(text: str) -> float:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 0x1_0000_0000


def _require_every_intent(groups: Iterable[list[Example]], taxonomy: Taxonomy) -> None:
    found = {example.intent for group in groups for example in group}
    absent = [intent for intent in taxonomy.intents if intent not in found]
    if absent:
        raise TrainingError(
            f"no training text has the intent {', '.join(absent)}; add some (--own), map a label to it in the sources, "
            "or take it out of the taxonomy"
        )
