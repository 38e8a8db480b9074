"""Describes the datasets (packs.yaml): origin, licence, flaws, and which test splits are in the repository."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from triage.errors import ConfigError, TrainingError
from triage.packed import read_unpacked
from triage.paths import resource
from triage.training.data.examples import Example
from triage.training.data.files import read_json
from triage.training.data.labels import RESOURCES

COMMITTED_SPLITS = "benchmarks/data"
"""Folder of the committed test splits, with the layout of the folder of datasets."""
PROJECT_TEST_SETS = "benchmarks/data/own"
"""Folder of the test texts that the project wrote itself."""


@dataclass(frozen=True)
class Dataset:
    """A dataset and its provenance.

    `committed` are the fields of the test split that the repository contains; without them `left_out` gives the reason.
    """

    name: str
    title: str
    origin: str
    commit: str
    licence: str
    citation: str
    language: str
    channel: str
    flaws: str
    committed: tuple[str, ...] = ()
    left_out: str = ""


@cache
def load_datasets() -> dict[str, Dataset]:
    """Descriptions of the datasets by name, in the order of packs.yaml."""
    data = yaml.safe_load((RESOURCES / "packs.yaml").read_text(encoding="utf-8"))
    return {
        name: Dataset(name, **(entry | {"committed": tuple(entry.get("committed", ()))}))
        for name, entry in data["packs"].items()
    }


def load_lock() -> dict[str, dict[str, Any]]:
    """Content of packs.lock.json: the number of `rows` and the `sha256` of each file of the datasets.

    Keys are paths such as `en/banking77/test.jsonl.gz`; the hash is that of the uncompressed content.
    """
    locked: dict[str, dict[str, Any]] = read_json(Path(str(RESOURCES / "packs.lock.json")))
    return locked


def committed_folder() -> Path:
    """Folder of the committed test splits. Raises ConfigError outside a checkout."""
    return resource(COMMITTED_SPLITS)


def project_test_texts() -> list[Example]:
    """All test texts that were written for this project, without labels; [] outside a checkout."""
    try:
        folder = resource(PROJECT_TEST_SETS)
    except ConfigError:
        return []
    files = project_test_files(folder)
    return [Example(text, name) for name, path in files.items() for row in read_rows(path) for text in _texts(row)]


def project_test_files(folder: Path) -> dict[str, Path]:
    """Files of the project's own test texts in `folder` by name, such as "check_zh"."""
    return {path.name.partition(".")[0]: path for path in sorted(folder.glob("*.jsonl.bz2"))}


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSONL file of a dataset, packed or not, as mappings of its fields.

    Raises TrainingError naming the file and the line that is not an object.
    """
    try:
        lines = read_unpacked(path).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise TrainingError(f"{path}: line {number} is not a JSON object")
        rows.append(row)
    return rows


def packed_file(path: Path) -> Path:
    """The path to read for `path`, a .gz file of a dataset: if only the same file packed by bzip2 exists, that one."""
    packed = path.with_suffix(".bz2")
    return packed if packed.exists() and not path.exists() else path


def content_digest(path: Path) -> dict[str, Any]:
    """Number of `rows` and `sha256` of the uncompressed content of a packed file."""
    content = read_unpacked(path)
    return {"rows": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest()}


def _texts(row: dict[str, Any]) -> list[str]:
    return [row["text"]] if "text" in row else [row["original"]["text"], row["perturbed"]["text"]]
