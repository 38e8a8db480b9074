"""`make bench NAME=assist`: all benchmarks of answers and advice, each a module `benchmarks/assist_*.py` with `rows()`.

`--only guide` runs one of them.
"""

import argparse
import importlib

from benchmarks.report import ROOT, Row, publish

PARTS = sorted(path.stem.removeprefix("assist_") for path in (ROOT / "benchmarks").glob("assist_*.py"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="only these parts")
    rows: list[Row] = []
    for part in parser.parse_args().only or PARTS:
        rows += importlib.import_module(f"benchmarks.assist_{part}").rows()
    publish("assist", rows)


if __name__ == "__main__":
    main()
