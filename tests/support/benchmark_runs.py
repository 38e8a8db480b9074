"""Runs a benchmark as `make bench` does, and reads its results file."""

import json
import subprocess
import sys
from typing import Any

from checkout import ROOT


def run_benchmark(
    name: str, *arguments: object, timeout: float | None = None
) -> tuple[dict[str, dict[str, Any]], subprocess.CompletedProcess[str]]:
    """Run a benchmark; return the rows of its results by name, and the completed process."""
    run = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    results = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    assert {"machine", "commit", "command", "rows"} == set(results)
    return {row["name"]: row for row in results["rows"]}, run
