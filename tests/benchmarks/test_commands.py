"""The benchmarks stay runnable; their figures are not asserted."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_pipe_prints_its_table_and_writes_its_results():
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.pipe", "--rounds", "1", "--records", "300"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "records/s" in run.stdout
    results = json.loads((ROOT / "benchmarks" / "results" / "pipe.json").read_text("utf-8"))
    assert {"machine", "commit", "command", "rows"} == set(results)
    assert results["rows"][0]["median"] > 0
