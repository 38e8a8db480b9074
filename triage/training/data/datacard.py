"""The data card, docs/data.md, from packs.yaml, packs.lock.json and sources.yaml.

`python -m triage.training.data.datacard docs/data.md` writes it; `--data PACKS` writes the lock file first.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from triage.paths import resource
from triage.training.data.datasets import OWN_SETS, Dataset, content_digest, load_datasets, load_lock, read_rows
from triage.training.data.files import write_json
from triage.training.data.labels import RESOURCES, load_taxonomy
from triage.training.data.near_duplicates import THRESHOLD
from triage.training.data.training_sets import Source, load_sources

SPLITS = ("train", "validation", "test")
_HEADER = "| pack | language | train / validation / test | licence | teaches | tests | test split here |"


def data_card() -> str:
    packs, lock = load_datasets(), load_lock()
    table = [_HEADER, "| --- " * _HEADER.count(" | ") + "| --- |"]
    sections: list[str] = []
    for source in load_sources(load_taxonomy()):
        pack = packs[source.name]
        rows = " / ".join(_rows(lock, source, split) for split in SPLITS)
        here = "yes" if pack.committed else "no"
        cells = (f"[{source.name}](#{source.name})", pack.language, rows, pack.licence, *_heads(source, lock), here)
        table.append(f"| {' | '.join(cells)} |")
        sections += _section(source, pack, lock)
    counts = {path.stem: f"{len(read_rows(path)):,}" for path in sorted(resource(OWN_SETS).glob("*.jsonl"))}
    template = (RESOURCES / "data_card.md").read_text(encoding="utf-8")
    return template.format(table="\n".join(table), sections="\n".join(sections), threshold=f"{THRESHOLD:.0%}", **counts)


def write_lock(data: Path) -> None:
    """Rows and hashes of every file of the packs under `data` that a reader reads."""
    found = {}
    for source in load_sources(load_taxonomy()):
        for split in SPLITS:
            name = f"{source.path}/{source.file(split)}"
            if (data / name).exists():
                found[name] = content_digest(data / name)
    write_json(Path(str(RESOURCES / "packs.lock.json")), found)


def _section(source: Source, pack: Dataset, lock: dict[str, dict[str, object]]) -> Iterable[str]:
    yield from ("", f"## {source.name}", "", f"{pack.title}. {pack.citation}.", "")
    yield f"- Origin: {pack.origin}, commit {pack.commit}. Licence: {pack.licence}."
    yield f"- Known flaws: {pack.flaws}"
    if pack.left_out:
        yield f"- Test split not in the repository: {pack.left_out}."
    for split in SPLITS:
        name = f"{source.path}/{source.file(split)}"
        if name in lock:
            yield f"- `{name}`: {_rows(lock, source, split)} rows, SHA-256 of the text `{lock[name]['sha256']}`"


def _rows(lock: dict[str, dict[str, object]], source: Source, split: str) -> str:
    entry = lock.get(f"{source.path}/{source.file(split)}")
    return f"{entry['rows']:,}" if entry else "–"


def _heads(source: Source, lock: dict[str, dict[str, object]]) -> tuple[str, str]:
    """What the source teaches, and what it tests."""
    entry = source.entry
    heads = {
        "intent": "intent" in entry or "intent_by_category" in entry,
        "sentiment": "sentiment" in entry,
        "entities": "types" in entry,
        "aspects": "aspects" in entry,
    }
    here = [head for head, has in heads.items() if has]
    taught = [f"{head} (weak)" if head in source.weak else head for head in here]
    if source.cap == 0 or f"{source.path}/{source.file('train')}" not in lock:
        taught = []
    tested = [head for head in here if head not in source.weak]
    if f"{source.path}/{source.file('test')}" not in lock:
        tested = []
    return ", ".join(taught) or "–", ", ".join(tested) or "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="where to write the card")
    parser.add_argument("--data", type=Path, help="folder of the packs: write packs.lock.json anew")
    arguments = parser.parse_args()
    if arguments.data:
        write_lock(arguments.data)
    arguments.page.write_text(data_card(), encoding="utf-8")


if __name__ == "__main__":
    main()
