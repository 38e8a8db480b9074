"""`make bench NAME=alerts_backtest`: duration of `triage alerts backtest`, from the start of the command to the file.

The input is CSV with totals: 5,000 keys of 1,000 hourly windows, and 10 keys of 16,000 five-minute windows.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import Row, publish

_START = np.datetime64("2026-01-01T00:00:00")
_SEED = 1


def write(path: Path, keys: int, windows: int, step_s: int) -> None:
    """Write a CSV of Poisson counts with a daily season: `keys` times `windows` rows, sorted by time."""
    rng = np.random.default_rng(_SEED)
    rate = np.exp(rng.uniform(np.log(0.1), np.log(20), keys)) * min(step_s / 3600, 1)
    with path.open("w") as file:
        file.write("window_start,key,negative,total\n")
        for window in range(windows):
            start = str(_START + np.timedelta64(window * step_s, "s")).replace("T", " ")
            season = 1 + 0.5 * np.sin(2 * np.pi * window * step_s / 86_400)
            negative, others = rng.poisson(rate * season), rng.poisson(3 * rate * season)
            rows = zip(range(keys), negative.tolist(), (negative + others).tolist(), strict=True)
            file.writelines(f"{start},k{key},{count},{total}\n" for key, count, total in rows)


def run(path: Path) -> float:
    """Duration in seconds of `triage alerts backtest` on the file `path`."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "triage", "alerts", "backtest", str(path), "--output", str(path) + ".out"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for keys, windows, step_s in ((5_000, 1_000, 3_600), (10, 16_000, 300)):
            path = Path(folder) / f"{keys}.csv"
            write(path, keys, windows, step_s)
            seconds = [run(path) for _ in range(arguments.rounds)]
            rows.append(Row.of(f"{keys:,} keys x {windows:,} windows of {step_s // 60} min", "s", seconds))
    publish("alerts_backtest", rows)


if __name__ == "__main__":
    main()
