"""Provides the test sets: test splits of the datasets (committed, or under --data) and the project's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from triage.errors import ConfigError, TrainingError
from triage.paths import resource
from triage.training.data.corpus import read_split
from triage.training.data.custom import project_texts, read_custom_data
from triage.training.data.datasets import (
    PROJECT_TEST_SETS,
    committed_folder,
    load_datasets,
    load_lock,
    packed_file,
    read_rows,
)
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.data.training_sets import TrainingSet

CHECK_SETS = ("check_zh", "check_en")


@dataclass(frozen=True)
class Row:
    """One labelled text; `language` and `channel` are empty if unknown, `hard` marks irony."""

    example: Example
    language: str = ""
    channel: str = ""
    hard: bool = False


@dataclass(frozen=True)
class EvalSet:
    """Labelled rows that are evaluated together under one name."""

    name: str
    rows: Sequence[Row]

    def sample(self, limit: int | None) -> "EvalSet":
        """A copy with at most `limit` rows, evenly spaced; all rows if `limit` is None."""
        if limit is None or len(self.rows) <= limit:
            return self
        return EvalSet(self.name, [self.rows[index * len(self.rows) // limit] for index in range(limit)])


@dataclass(frozen=True)
class MissingSet:
    """A dataset (`pack`) whose test split is not available, and the reason, `why`."""

    pack: str
    why: str


def dataset_sets(sources: Sequence[TrainingSet], data: Path | None) -> tuple[list[EvalSet], list[MissingSet]]:
    """The test split of every source, from `data` if it has one, else the committed one; and the missing sets.

    Raises TrainingError for a file that is empty or damaged or has labels that are not mapped.
    """
    folders = [folder for folder in (data, _committed_or_none()) if folder]
    datasets = load_datasets()
    found, missing = [], []
    for source in sources:
        name = f"{source.path}/{source.file('test')}"
        folder = next((folder for folder in folders if packed_file(folder / name).exists()), None)
        if folder is None:
            if name in load_lock() and source.weak < _heads(source):  # with weak labels only there is nothing to test
                known = datasets.get(source.name)
                missing.append(MissingSet(source.name, known.left_out if known else "no file"))
            continue
        examples = read_split(folder, source, "test")
        if not examples and not read_rows(packed_file(folder / name)):
            raise TrainingError(f"{folder / name} is empty: the test split of {source.name} has no rows")
        if examples:
            dataset = datasets.get(source.name)
            language, channel = (dataset.language, dataset.channel) if dataset else ("", "")
            found.append(EvalSet(source.name, [Row(example, language, channel) for example in examples]))
    return found, missing


def project_sets(taxonomy: Taxonomy) -> list[EvalSet]:
    """The project's own test sets, and its validation texts as the set `own_validation`.

    Raises ConfigError outside a checkout, TrainingError for a damaged file or unknown label.
    """
    sets = [EvalSet(name, list(_check_rows(name, taxonomy))) for name in CHECK_SETS]
    validation = [Row(example) for example in project_texts("validation", taxonomy)]
    return [*sets, EvalSet("own_validation", validation)]


def project_test_file(name: str) -> Path:
    """Path of the project's test set `name`, such as `check_zh`. Raises ConfigError outside a checkout."""
    return resource(f"{PROJECT_TEST_SETS}/{name}.jsonl.bz2")


def _check_rows(name: str, taxonomy: Taxonomy) -> Iterator[Row]:
    path = project_test_file(name)
    examples = read_custom_data(path, taxonomy, source=name)
    for example, row in zip(examples, read_rows(path), strict=True):
        yield Row(example, row["language"], row["channel"], bool(row.get("hard")))


def _heads(source: TrainingSet) -> frozenset[str]:
    entry = source.entry
    heads = {
        "intent": "intent" in entry or "intent_by_category" in entry,
        "sentiment": "sentiment" in entry,
        "entities": "types" in entry,
        "aspects": "aspects" in entry,
    }
    return frozenset(head for head, has in heads.items() if has)


def _committed_or_none() -> Path | None:
    try:
        return committed_folder()
    except ConfigError:
        return None
