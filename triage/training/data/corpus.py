"""Combines the training sets and custom data into splits without contamination, and samples epochs from them."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from triage.errors import TrainingError
from triage.packed import read_unpacked
from triage.training.data.contamination import HeldOutTexts, require_uncontaminated, text_key
from triage.training.data.datasets import packed_file, project_test_texts
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.data.readers import READERS
from triage.training.data.training_sets import TrainingSet

SPLITS = ("train", "validation", "test")
CUSTOM = "own"
"""Source name of custom data: the project's own texts and the user's."""
CUSTOM_REPEAT = 3
"""How often an epoch contains each custom text: they are few, and the only texts of some intents."""


@dataclass(frozen=True)
class Corpus:
    """Training data: examples by split and by source.

    `dropped` is the number of contaminated training texts that were removed, by source.
    """

    train: dict[str, list[Example]]
    validation: dict[str, list[Example]]
    test: dict[str, list[Example]]
    sources: dict[str, TrainingSet]
    dropped: Counter[str]

    @property
    def mix(self) -> dict[str, int]:
        """Number of texts that an epoch contains, by source."""
        return {name: self._count(name, len(self._pool(name))) for name in self.train}

    def _count(self, name: str, texts: int) -> int:
        source = self.sources.get(name)
        if name == CUSTOM:
            return texts * CUSTOM_REPEAT
        if source is None:
            return texts
        return source.cap if source.cap is not None and source.cap < texts else texts * source.repeat

    def _pool(self, name: str) -> list[Example]:
        """Texts to sample from; texts of a rare sentiment are in it several times (`copies` of the source)."""
        examples, source = self.train[name], self.sources.get(name)
        copies = source.copies if source else {}
        return [example for example in examples for _ in range(copies.get(example.sentiment or "", 1))]

    def epoch(self, seed: int) -> list[Example]:
        """Return one epoch in random order: capped sources are sampled again for each seed, small ones are repeated."""
        rng = random.Random(seed)  # noqa: S311 - no secret
        drawn: list[Example] = []
        for name in self.train:
            examples, source = self._pool(name), self.sources.get(name)
            if name == CUSTOM:
                drawn += examples * CUSTOM_REPEAT
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
    sources: Sequence[TrainingSet],
    taxonomy: Taxonomy,
    custom: dict[str, list[Example]] | None = None,
) -> Corpus:
    """Read every source under `data`; `custom` has further "train" and "validation" examples.

    Training texts that are also in a validation or test split are removed. Raises TrainingError if a dataset is missing
    or a label has no training text.
    """
    missing = [source.path for source in sources if not (data / source.path).is_dir()]
    if missing:
        raise TrainingError(f"{data} has no {', '.join(missing)}; remove these sources from the file or fetch them")
    splits: dict[str, dict[str, list[Example]]] = {split: {} for split in SPLITS}
    for source in sources:
        for split in SPLITS:
            examples = read_split(data, source, split)
            if examples:
                splits[split][source.name] = examples
        if source.validation_share:
            _split_validation(splits, source)
    for split, examples in (custom or {}).items():
        splits[split][CUSTOM] = splits[split].get(CUSTOM, []) + examples
    tests = project_test_texts() + [example for examples in splits["test"].values() for example in examples]
    held_out = tests + [example for examples in splits["validation"].values() for example in examples]
    dropped: Counter[str] = Counter()
    train = [example for examples in splits["train"].values() for example in examples]
    contaminated = HeldOutTexts(held_out).matches(train)
    for name, examples in splits["train"].items():
        kept = [example for example in examples if text_key(example.text) not in contaminated]
        dropped[name] = len(examples) - len(kept)
        splits["train"][name] = kept
    require_uncontaminated((example for examples in splits["train"].values() for example in examples), tests)
    _require_every_label([example for examples in splits["train"].values() for example in examples], taxonomy)
    by_name = {source.name: source for source in sources}
    return Corpus(splits["train"], splits["validation"], splits["test"], by_name, dropped)


def read_split(data: Path, source: TrainingSet, split: str) -> list[Example]:
    """Labelled examples of one split; [] if the dataset has no such file.

    Weak labels are removed from validation and test. Raises TrainingError for a damaged file or an unknown label.
    """
    path = packed_file(data / source.path / source.file(split))
    if not path.exists():
        return []
    try:
        rows: list[dict[str, Any]] = [json.loads(line) for line in read_unpacked(path).splitlines()]
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    try:
        examples = list(READERS[source.reader](source.name, rows, source.entry))
    except KeyError as error:
        raise TrainingError(f"{path}: a row has no field {error}") from error
    if split != "train":
        examples = [without_weak_labels(example, source) for example in examples]
    return [example for example in examples if example.labelled]


def without_weak_labels(example: Example, source: TrainingSet) -> Example:
    """The example without the labels of the heads in `source.weak`, which are too unreliable to evaluate on."""
    return replace(
        example,
        intent=None if "intent" in source.weak else example.intent,
        sentiment=None if "sentiment" in source.weak else example.sentiment,
    )


def _split_validation(splits: dict[str, dict[str, list[Example]]], source: TrainingSet) -> None:
    """Move a share of the training texts to validation, chosen by a hash of the text, so in every run the same."""
    train = splits["train"].get(source.name, [])
    share = source.validation_share
    splits["train"][source.name] = [example for example in train if text_fraction(example.text) >= share]
    splits["validation"][source.name] = [
        without_weak_labels(example, source) for example in train if text_fraction(example.text) < share
    ]


def text_fraction(text: str) -> float:
    """A number in [0, 1), computed from a hash of the text: the same in every run."""
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
            "; ".join(missing) + ": add texts (--own), map a label to it in the sources, or remove it from the taxonomy"
        )
