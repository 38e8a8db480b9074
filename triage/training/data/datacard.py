"""Writes the data card, docs/data.md, from packs.yaml, packs.lock.json and sources.yaml.

`python -m triage.training.data.datacard docs/data.md` writes the page; `--data PACKS` updates the lock file first.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from triage.paths import resource
from triage.training.data.datasets import (
    PROJECT_TEST_SETS,
    Dataset,
    content_digest,
    load_datasets,
    load_lock,
    project_test_files,
    read_rows,
)
from triage.training.data.files import write_json
from triage.training.data.labels import RESOURCES, load_taxonomy
from triage.training.data.near_duplicates import THRESHOLD
from triage.training.data.training_sets import TrainingSet, load_training_sets

SPLITS = ("train", "validation", "test")
_HEADER = "| dataset | language | train / validation / test | licence | trains | tests | test split here |"


def data_card() -> str:
    """The text of the data card, in Markdown."""
    datasets, lock = load_datasets(), load_lock()
    table = [_HEADER, "| --- " * _HEADER.count(" | ") + "| --- |"]
    sections: list[str] = []
    for source in load_training_sets(load_taxonomy()):
        dataset = datasets[source.name]
        rows = " / ".join(_rows(lock, source, split) for split in SPLITS)
        here = "yes" if dataset.committed else "no"
        link = f"[{source.name}](#{source.name})"
        cells = (link, dataset.language, rows, dataset.licence, *_heads(source, lock), here)
        table.append(f"| {' | '.join(cells)} |")
        sections += _section(source, dataset, lock)
    own = project_test_files(resource(PROJECT_TEST_SETS))
    counts = {name: f"{len(read_rows(path)):,}" for name, path in own.items()}
    template = (RESOURCES / "data_card.md").read_text(encoding="utf-8")
    return template.format(table="\n".join(table), sections="\n".join(sections), threshold=f"{THRESHOLD:.0%}", **counts)


def write_lock(data: Path) -> None:
    """Write packs.lock.json: row counts and hashes of every dataset file that is read under `data`."""
    found = {}
    for source in load_training_sets(load_taxonomy()):
        for split in SPLITS:
            name = f"{source.path}/{source.file(split)}"
            if (data / name).exists():
                found[name] = content_digest(data / name)
    write_json(Path(str(RESOURCES / "packs.lock.json")), found)


def _section(source: TrainingSet, dataset: Dataset, lock: dict[str, dict[str, object]]) -> Iterable[str]:
    yield from ("", f"## {source.name}", "", f"{dataset.title}. {dataset.citation}.", "")
    yield f"- Origin: {dataset.origin}, commit {dataset.commit}. Licence: {dataset.licence}."
    yield f"- Known flaws: {dataset.flaws}"
    if dataset.left_out:
        yield f"- Test split not in the repository: {dataset.left_out}."
    for split in SPLITS:
        name = f"{source.path}/{source.file(split)}"
        if name in lock:
            yield f"- `{name}`: {_rows(lock, source, split)} rows, SHA-256 of the text `{lock[name]['sha256']}`"


def _rows(lock: dict[str, dict[str, object]], source: TrainingSet, split: str) -> str:
    entry = lock.get(f"{source.path}/{source.file(split)}")
    return f"{entry['rows']:,}" if entry else "–"


def _heads(source: TrainingSet, lock: dict[str, dict[str, object]]) -> tuple[str, str]:
    """Names of the heads that are trained on the source, and of those that are tested on it."""
    entry = source.entry
    heads = {
        "intent": "intent" in entry or "intent_by_category" in entry,
        "sentiment": "sentiment" in entry,
        "entities": "types" in entry,
        "aspects": "aspects" in entry,
    }
    labelled = [head for head, has in heads.items() if has]
    trained = [f"{head} (weak)" if head in source.weak else head for head in labelled]
    if source.cap == 0 or f"{source.path}/{source.file('train')}" not in lock:
        trained = []
    tested = [head for head in labelled if head not in source.weak]
    if f"{source.path}/{source.file('test')}" not in lock:
        tested = []
    return ", ".join(trained) or "–", ", ".join(tested) or "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="where to write the card")
    parser.add_argument("--data", type=Path, help="folder of the datasets: update packs.lock.json")
    arguments = parser.parse_args()
    if arguments.data:
        write_lock(arguments.data)
    arguments.page.write_text(data_card(), encoding="utf-8")


if __name__ == "__main__":
    main()
