"""Describes the machine, prints the table of a benchmark, and writes its results file."""

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One row of a benchmark's table: rounds of the same measurement in `unit`; `more` are additional columns."""

    name: str
    unit: str
    min: float
    median: float
    max: float
    rounds: int
    more: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, unit: str, values: list[float]) -> "Row":
        return cls(name, unit, min(values), statistics.median(values), max(values), len(values))


def machine() -> dict[str, object]:
    """Processor, number of cores, Python and system; no host name and no path."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else ""
    return {
        "cpu": model or platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def publish(name: str, rows: list[Row], title: str | None = None) -> None:
    """Print the rows as a table and write them to `benchmarks/results/NAME.json`."""
    table = Table(title=title or name)
    for column in ("", "unit", "min", "median", "max", "rounds"):
        table.add_column(column, justify="left" if column in {"", "unit"} else "right")
    columns = list(dict.fromkeys(column for row in rows for column in row.more))
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        more = (f"{row.more[column]:,.1f}" if column in row.more else "" for column in columns)
        values = (f"{value:,.1f}" for value in (row.min, row.median, row.max))
        table.add_row(row.name, row.unit, *values, str(row.rounds), *more)
    # Without a terminal, as in a log, the table is not limited to 80 columns.
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    console.print(table)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    results = {
        "machine": machine(),
        "commit": commit,
        "command": f"make bench NAME={name}" + (f" ARGS='{' '.join(sys.argv[1:])}'" if sys.argv[1:] else ""),
        "rows": [(values := asdict(row)) | values.pop("more") for row in rows],
    }
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
