"""Writes the committed test splits: `python -m benchmarks.commit_data --data PACKS`.

For each dataset whose licence allows redistribution (packs.yaml), the test split with the fields that readers need. The
same datasets give the same files byte for byte.
"""

import argparse
import bz2
import json
from pathlib import Path

from triage.training.data.datasets import COMMITTED_SPLITS, content_digest, load_datasets, load_lock, read_rows
from triage.training.data.files import write_json
from triage.training.data.labels import load_taxonomy
from triage.training.data.training_sets import load_training_sets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the datasets")
    data = parser.parse_args().data
    folder = Path(__file__).resolve().parent.parent / COMMITTED_SPLITS
    datasets, locked, written = load_datasets(), load_lock(), {}
    for source in load_training_sets(load_taxonomy()):
        dataset = datasets[source.name]
        if not dataset.committed:
            continue
        name = f"{source.path}/{source.file('test')}"
        origin = content_digest(data / name)
        if origin != locked[name]:
            raise SystemExit(f"{data / name} is not the version of packs.lock.json")
        rows = [{field: row[field] for field in dataset.committed if field in row} for row in read_rows(data / name)]
        content = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
        path = (folder / name).with_suffix(".bz2")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bz2.compress(content.encode()))
        written[str(path.relative_to(folder))] = {
            **content_digest(path),
            "pack": source.name,
            "licence": dataset.licence,
            "origin": dataset.origin,
            "commit": dataset.commit,
            "fields": list(dataset.committed),
            "sha256_of_the_whole_split": origin["sha256"],
        }
        print(name, path.stat().st_size)
    write_json(folder / "manifest.json", written)


if __name__ == "__main__":
    main()
