"""Mutation testing of the pure modules: changes one place at random and runs the tests that must notice.

    python tests/mutation/run.py --mutants 150 --seed 1

Cosmic Ray makes the mutants. Each is tried in a copy of the tracked files, so the checkout stays as it is. What
would flatter the score is left out: type annotations and the like, and arithmetic that becomes a bitwise operation.
Of several changes at one place one is drawn, so that places count alike. The exit status is 1 if fewer than `--at-
least` percent of the mutants that can be noticed are.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MARKS = "not stack and not real and not training and not demo"
# Large and only read: linked into each copy instead of copied.
LINKED = ("onnx", "benchmarks/data", "docs/img", "topics/feed")


@dataclass(frozen=True)
class Mutant:
    group: str
    path: str  # below the checkout
    line: int
    operator: str
    before: str  # the lines that differ, without indentation
    after: str
    code: str  # the whole mutated module


@dataclass(frozen=True)
class Outcome:
    mutant: Mutant
    verdict: str  # killed, timeout, survived or equivalent
    seconds: float


def groups() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((HERE / "modules.toml").read_text("utf-8"))


def modules(group: dict[str, list[str]]) -> list[Path]:
    """The files of a group that hold code, sorted. Raises SystemExit for a pattern that matches none."""
    found: set[Path] = set()
    for pattern in group["code"]:
        matches = [path for path in ROOT.glob(pattern) if path.name != "__init__.py"]
        if not matches:
            raise SystemExit(f"tests/mutation/modules.toml: no file matches {pattern}")
        found.update(matches)
    return sorted(found)


def annotated_spans(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(line, column) of the start and end of what a type checker holds: annotations, base classes, frozen and slots."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.keyword) and node.arg in {"frozen", "slots", "kw_only"}:
            parts.append(node.value)
        if isinstance(node, ast.AnnAssign | ast.arg):
            parts.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts.append(node.returns)
        elif isinstance(node, ast.ClassDef):
            parts.extend(node.bases)
        for part in parts:
            if part is not None:
                assert part.end_lineno is not None
                assert part.end_col_offset is not None
                spans.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))
    return spans


def positions(path: Path) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """(operator, occurrence, start) of each possible mutation outside of annotations."""
    source = path.read_text("utf-8")
    spans, tree = annotated_spans(source), get_ast(source)
    for name in operator_names():
        operator_class = get_operator(name)
        if operator_class.arguments() or name.endswith("NoOp") or becomes_bitwise(name):
            continue
        operator = operator_class()
        starts = (start for node in ast_nodes(tree) for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(starts):
            if not any(begin <= tuple(start) < end for begin, end in spans):
                yield name, occurrence, tuple(start)


def becomes_bitwise(operator: str) -> bool:
    before, _, after = operator.partition("ReplaceBinaryOperator_")[2].partition("_")
    bitwise = ("Bit", "LShift", "RShift")
    return after.startswith(bitwise) and not before.startswith(bitwise)


def draw(count: int, seed: int, only: list[str]) -> list[Mutant]:
    """`count` mutants, each place of all groups as likely as any other."""
    known = groups()
    if unknown := set(only) - set(known):
        raise SystemExit(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    places: dict[tuple[str, Path, str, tuple[int, int]], list[tuple[str, int]]] = defaultdict(list)
    for name, group in known.items():
        if only and name not in only:
            continue
        for path in modules(group):
            for operator, occurrence, start in positions(path):
                places[name, path, operator.partition("_")[0], start].append((operator, occurrence))
    rng = random.Random(seed)
    shuffled = sorted(places, key=str)
    rng.shuffle(shuffled)
    drawn: list[Mutant] = []
    for name, path, kind, start in shuffled:
        if len(drawn) == count:
            break
        operator, occurrence = rng.choice(places[name, path, kind, start])
        source = path.read_text("utf-8")
        code = mutate_code(source, get_operator(operator)(), occurrence)
        if code is None or code == source or not compiles(code):
            continue
        before, after = differing_lines(source, code)
        drawn.append(Mutant(name, str(path.relative_to(ROOT)), start[0], operator, before, after, code))
    return drawn


def compiles(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def differing_lines(source: str, code: str) -> tuple[str, str]:
    old, new = source.splitlines(), code.splitlines()
    first = next(index for index, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    last = next(i for i, pair in enumerate(zip(reversed(old), reversed(new), strict=False)) if pair[0] != pair[1])
    return (
        "\n".join(line.strip() for line in old[first : len(old) - last]),
        "\n".join(line.strip() for line in new[first : len(new) - last]),
    )


def copy_checkout(target: Path) -> Path:
    """The tracked and new files, large folders linked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for folder in LINKED:
        (target / folder).parent.mkdir(parents=True, exist_ok=True)
        (target / folder).symlink_to(ROOT / folder)
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(tuple(f"{folder}/" for folder in LINKED)) or not (ROOT / name).is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
    return target


def run_tests(checkout: Path, paths: list[str], timeout_s: float) -> str:
    """killed, timeout or survived. Raises SystemExit if the tests do not import the copy."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", MARKS, *paths]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    return "survived" if ended.returncode == 0 else "killed"


def baseline(checkout: Path, group: dict[str, list[str]]) -> float:
    """Seconds that the tests take on the original. Raises SystemExit if they fail there."""
    started = time.monotonic()
    if run_tests(checkout, group["tests"], 1800) != "survived":
        raise SystemExit(f"the tests fail without a mutant: {' '.join(group['tests'])}")
    return time.monotonic() - started


def equivalents() -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads((HERE / "equivalent.toml").read_text("utf-8")).get("mutant", [])
    return found


def is_equivalent(mutant: Mutant, known: list[dict[str, str]]) -> bool:
    return any((e["path"], e["before"], e["after"]) == (mutant.path, mutant.before, mutant.after) for e in known)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="copies of the checkout that are tested at once")
    parser.add_argument("--only", action="append", default=[], metavar="GROUP", help="a group of modules.toml")
    parser.add_argument("--at-least", type=float, default=85.0, metavar="PERCENT")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    options = parser.parse_args()
    mutants = draw(options.mutants, options.seed, options.only)
    if options.list:
        for mutant in mutants:
            say(described(mutant))
        return 0
    known, by_name = equivalents(), groups()
    with tempfile.TemporaryDirectory() as folder:
        checkouts: SimpleQueue[Path] = SimpleQueue()
        copies = [copy_checkout(Path(folder) / str(number)) for number in range(options.jobs)]
        needed = sorted({mutant.group for mutant in mutants})
        with ThreadPoolExecutor(options.jobs) as pool:
            for copy in copies:
                checkouts.put(copy)

            def on_a_copy(name: str) -> float:
                copy = checkouts.get()
                try:
                    return baseline(copy, by_name[name])
                finally:
                    checkouts.put(copy)

            limits = {name: 3 * seconds + 30 for name, seconds in zip(needed, pool.map(on_a_copy, needed), strict=True)}

            def attempt(mutant: Mutant) -> Outcome:
                copy = checkouts.get()
                started, original = time.monotonic(), (ROOT / mutant.path).read_text("utf-8")
                try:
                    if is_equivalent(mutant, known):
                        return Outcome(mutant, "equivalent", 0.0)
                    (copy / mutant.path).write_text(mutant.code, "utf-8")
                    verdict = run_tests(copy, by_name[mutant.group]["tests"], limits[mutant.group])
                    return Outcome(mutant, verdict, time.monotonic() - started)
                finally:
                    (copy / mutant.path).write_text(original, "utf-8")
                    checkouts.put(copy)

            outcomes, progress = [], sys.stderr
            for number, outcome in enumerate(pool.map(attempt, mutants), 1):
                outcomes.append(outcome)
                at = f"{outcome.mutant.path}:{outcome.mutant.line}"
                progress.write(f"{number}/{len(mutants)} {outcome.verdict} {outcome.seconds:.0f} s {at}\n")
                if outcome.verdict == "survived":
                    progress.write(described(outcome.mutant) + "\n")
                progress.flush()
    return report(outcomes, options.at_least)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def described(mutant: Mutant) -> str:
    name = mutant.operator.removeprefix("core/")
    before, after = (text.replace("\n", "\n      ") for text in (mutant.before, mutant.after))
    return f"{mutant.path}:{mutant.line} {name}\n    - {before}\n    + {after}"


def report(outcomes: list[Outcome], at_least: float) -> int:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[outcome.mutant.group][outcome.verdict] += 1
    total = sum(counts.values(), Counter())
    say(f"{'group':<16}{'mutants':>9}{'noticed':>9}{'survived':>10}{'equivalent':>12}{'score':>8}")
    for name, count in [*sorted(counts.items()), ("all", total)]:
        noticed = count["killed"] + count["timeout"]
        row = f"{name:<16}{count.total():>9}{noticed:>9}{count['survived']:>10}{count['equivalent']:>12}"
        say(f"{row}{score(count):>7.1f}%")
    for outcome in outcomes:
        if outcome.verdict == "survived":
            say("\nsurvived: " + described(outcome.mutant))
    return 0 if score(total) >= at_least else 1


def score(count: Counter[str]) -> float:
    """Percent of the mutants that can be noticed that are."""
    noticed = count["killed"] + count["timeout"]
    return 100 * noticed / max(1, noticed + count["survived"])


if __name__ == "__main__":
    sys.exit(main())
