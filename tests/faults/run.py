"""`make faults SEEDS=n`: seeds 1 to n against the stack of TRIAGE_TEST_*, else the local one; prints the table.

`--soak MINUTES` is one long run with faults, whose first worker and alerter are never ended; it prints what every
process has, each minute.
"""

import argparse
import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from chaos.faults import possible
from chaos.run import Plan, discard, run, scratch
from chaos.stack import open_stack
from chaos.table import table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many runs, seeded 1 to n")
    parser.add_argument("--first", type=int, default=1, help="seed of the first run")
    parser.add_argument("--records", type=int, default=Plan.records, help="least records of a run")
    parser.add_argument("--rate", type=int, default=Plan.rate, help="records a second")
    parser.add_argument("--faults", type=int, default=Plan.faults, help="faults of a run")
    parser.add_argument("--gap", type=float, default=Plan.gap_s, help="mean seconds between faults")
    parser.add_argument("--every", type=float, default=0, help="fixed seconds between faults, instead of --gap")
    parser.add_argument("--workers", type=int, default=Plan.workers)
    parser.add_argument("--only", nargs="+", default=(), help="only faults with one of these in their name")
    parser.add_argument(
        "--cluster", action="store_true", help="only faults that clusters have, and killed workers and alerters"
    )
    parser.add_argument("--soak", type=float, default=0, help="minutes of one long run instead")
    parser.add_argument("--keep", type=Path, help="folder for logs and outcomes; default: kept only of failed runs")
    parser.add_argument("--table", type=Path, nargs="+", help="only print the table of kept outcomes.json files")
    arguments = parser.parse_args()
    if arguments.table:
        kept = [outcome for path in arguments.table for outcome in json.loads(path.read_text())]
        sys.stdout.write(table(kept) + "\n")
        return 0
    only = [*arguments.only, *(["cluster: ", "SIGKILL"] if arguments.cluster else [])]
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("elastic_transport").setLevel(logging.CRITICAL)
    plan = Plan(
        arguments.records, arguments.rate, arguments.faults, arguments.gap, arguments.workers, tuple(only),
        arguments.soak * 60, every_s=arguments.every,
    )  # fmt: skip
    folder = arguments.keep or scratch()
    outcomes = []
    with open_stack() as stack:
        _, cannot = possible(stack)
        for seed in range(arguments.first, arguments.first + (1 if plan.soak_s else arguments.seeds)):
            say(f"seed {seed}")
            outcome = run(stack, seed, plan, folder / f"seed-{seed}", say)
            outcomes.append(asdict(outcome))
            say(
                f"  {outcome.records:,} records ({outcome.invalid} invalid), {len(outcome.strikes)} faults, "
                f"{outcome.seconds:.0f} s: lost {outcome.lost}, twice {outcome.twice}, "
                f"older {outcome.older} of {outcome.versioned} ids, expired unread {outcome.expired}, "
                f"pages {outcome.pages}, "
                f"most MiB/threads/files {outcome.most}"
            )
            for problem in outcome.problems:
                say(f"  PROBLEM {problem}")
            (folder / "outcomes.json").write_text(json.dumps(outcomes, indent=1))
    skipped = [(fault.name, f"the stack has no {', '.join(fault.needs)}") for fault in cannot]
    sys.stdout.write(table(outcomes, skipped) + "\n")
    clean = all(not outcome["problems"] for outcome in outcomes)
    if clean and not arguments.keep:
        discard(folder)
    else:
        say(f"logs and outcomes: {folder}")
    return 0 if clean else 1


def say(line):
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
