"""Finds datasets that are too large for the repository: in the folder BENCH_DATA, laid out as docs/data.md says."""

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT
from triage.packed import read_unpacked


def dataset(name: str) -> list[dict[str, Any]] | None:
    """Rows of a file, such as `en/banking77/train.jsonl.gz`; None, with a message, if the folder lacks it."""
    path = Path(os.environ.get("BENCH_DATA", ROOT / "benchmarks" / "data")) / name
    if not path.is_file():
        print(f"{name} is not in {path.parent}: name the folder of the datasets by BENCH_DATA=FOLDER (docs/data.md)")
        return None
    return [json.loads(line) for line in read_unpacked(path).splitlines()]
