"""Fuzzes what reads inputs from outside: requests, headers, cookies, frames, files, rules, settings, model folders.

    python tests/fuzz/run.py --minutes 10 --seed 1 --only rows,rules

Inputs are our own harmless ones, changed at random. What is wrong: an answer 500, a traceback, an error that is not
said in plain words, a second without an answer to a probe or of an input's own time, hundreds of MiB. The exit status
is then 1, and each such input is in the folder that is printed; `--only TARGET --input FILE` tries one again.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[1])]

import fuzz_files  # noqa: E402
import fuzz_services  # noqa: E402
import structlog  # noqa: E402
from fuzzing import Fuzzer  # noqa: E402


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None, help="default: the time")
    parser.add_argument("--only", default="", help="names of targets, with commas")
    parser.add_argument("--input", type=Path, help="try this one input only")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "triage-fuzz")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seed = int(time.time()) if options.seed is None else options.seed
    only = {name for name in options.only.split(",") if name}
    fuzzer = Fuzzer(options.findings, seed, _say)
    _say(f"seed {seed}; findings go to {options.findings}")
    with tempfile.TemporaryDirectory() as folder, fuzz_services.targets(Path(folder), only) as services:
        known = [*fuzz_files.targets(Path(folder)), *services]
        unknown = only - {target.name for target in known}
        if unknown:
            parser.error(f"no such target: {', '.join(sorted(unknown))}; known: {', '.join(fuzz_services.NAMES)}, "
                         + ", ".join(target.name for target in known))  # fmt: skip
        chosen = [target for target in known if not only or target.name in only]
        if options.input:
            fuzzer.one(chosen[0], options.input.read_bytes())
        else:
            fuzzer.run(chosen, options.minutes * 60)
    return 1 if fuzzer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
