"""`make bench NAME=cases`: how many cases of tests/cases hold, by kind; `--against PYTHON` asks another build as well.

`PYTHON` is the interpreter of an environment with that build installed, as `../before/.venv/bin/python`. Cases with two
readings are left out. A kind's `%` is the share of its cases of which every checked field holds. Kinds below
`other_hand/` were written by an author who had not read the code.
"""

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.report import ROOT, Row, publish

sys.path.insert(0, str(ROOT / "tests" / "support"))

from cases import Case, failures, in_process_of, kinds, load, run


def held(cases: list[Case], python: str) -> Counter[str]:
    """Number of cases by kind whose checks all hold for the build of the interpreter `python`."""
    with tempfile.TemporaryDirectory() as folder:
        results = run(cases, Path(folder), in_process_of(python))
    return Counter(case.name.partition(":")[0] for case in cases if not failures(case, results[case.name]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", metavar="PYTHON", help="interpreter of an environment with another build")
    parser.add_argument("--kind", action="append", choices=kinds(), help="only these kinds")
    arguments = parser.parse_args()
    cases = [case for kind in arguments.kind or kinds() for case in load(kind) if not case.unclear]
    totals = Counter(case.name.partition(":")[0] for case in cases)
    builds = {"now": held(cases, sys.executable)}
    if arguments.against:
        builds["before"] = held(cases, arguments.against)
    rows = []
    for kind, total in [*totals.items(), ("all", sum(totals.values()))]:
        counts = {name: sum(held.values()) if kind == "all" else held[kind] for name, held in builds.items()}
        more = {"cases": float(total), **{name: float(count) for name, count in counts.items()}}
        share = 100 * counts["now"] / total
        rows.append(Row(kind, "%", share, share, share, 1, more))
    publish("cases", rows)


if __name__ == "__main__":
    main()
