"""`make bench NAME=redaction`: personal data found in texts as customers write them, harmless texts changed.

`ARGS='--presidio PYTHON'` puts Presidio beside it: the interpreter of an environment with presidio-analyzer installed.
Its recognizers run as they come for English and for Chinese; a spaCy model that is installed there is used, else a
blank pipeline, and the title says which. All scores count (`presidio`), or those from 0.4 on (`presidio_40`).

The texts are data/own/redaction.jsonl.bz2. A span is found if no three of its identifying characters are left
in a row in the stored text, whatever placeholder stands there; a text is changed if anything but white space differs.
`--failures` prints what was missed.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import ROOT, Row, publish
from triage.packed import read_unpacked

sys.path.insert(0, str(ROOT / "tests" / "support"))

from cases import built_once, in_this_process

DATA = ROOT / "benchmarks" / "data" / "own" / "redaction.jsonl.bz2"
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]+\]")
# Runs of one script: letters and digits, also full-width ones, or Chinese characters.
_RUN = re.compile(r"[0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+|[\u4e00-\u9fff]+")
# Words that stand for the signs of an e-mail address identify nobody.
_CONNECTORS = {"at", "dot", "艾特", "点", "小老鼠", "圈"}
_PARAMETER = re.compile(r"(?:^|&)\w+=")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_WINDOW = 3


@dataclass(frozen=True)
class Span:
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Line:
    """One text with its language and part; `spans` mark what must be redacted, in code points."""

    text: str
    language: str
    split: str
    spans: tuple[Span, ...]


def load_lines(split: str = "all") -> list[Line]:
    rows = [json.loads(line) for line in read_unpacked(DATA).splitlines()]
    return [
        Line(row["text"], row["language"], row["split"], tuple(Span(**span) for span in row["spans"]))
        for row in rows
        if split in ("all", row["split"])
    ]


def _windows(value: str) -> set[str]:
    """Pieces of three identifying characters; shorter runs count only where there is nothing else."""
    runs = [run for run in _RUN.findall(_ESCAPE.sub(" ", _PARAMETER.sub(" ", value))) if run not in _CONNECTORS]
    long_runs = [run for run in runs if len(run) >= _WINDOW]
    if not long_runs:
        return set(runs)
    return {run[at : at + _WINDOW] for run in long_runs for at in range(len(run) - _WINDOW + 1)}


def _count(piece: str, text: str) -> int:
    return sum(text.startswith(piece, at) for at in range(len(text)))


def is_found(line: Line, span: Span, redacted: str) -> bool:
    """True if redaction left no identifying piece of the span, except where the rest of the text holds it too."""
    outside = list(line.text)
    for other in line.spans:
        outside[other.start : other.end] = "\n" * (other.end - other.start)
    rest, left = "".join(outside), _PLACEHOLDER.sub("\n", redacted)
    return all(_count(piece, left) <= _count(piece, rest) for piece in _windows(line.text[span.start : span.end]))


def is_changed(line: Line, redacted: str) -> bool:
    return line.text.split() != redacted.split()


def by_triage(lines: Sequence[Line]) -> list[str]:
    """The texts as `triage enrich` stores them."""
    with tempfile.TemporaryDirectory() as folder, built_once():
        rows = [json.dumps({"id": str(number), "text": line.text}) for number, line in enumerate(lines)]
        (Path(folder) / "texts.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
        records, said, code = in_this_process(Path(folder), "texts.jsonl")
    texts = {int(record["event"]["id"]): str(record["text"]) for record in records}
    if code or len(texts) != len(lines):
        raise SystemExit(f"triage enrich: exit {code}, {len(texts)} of {len(lines)} records: {said}")
    return [texts[number] for number in range(len(lines))]


def by_presidio(lines: Sequence[Line], python: str) -> tuple[str, dict[str, list[str]]]:
    """Redact by Presidio in the environment of `python`: its description, and redacted texts by name of a column."""
    given = "".join(json.dumps({"text": line.text, "language": line.language}) + "\n" for line in lines)
    script = ROOT / "benchmarks" / "redaction_presidio.py"
    ended = subprocess.run([python, script], input=given, capture_output=True, encoding="utf-8", check=False)
    if ended.returncode:
        raise SystemExit(f"--presidio {python}: {ended.stderr.strip()[-400:]}")
    head, *rows = ended.stdout.splitlines()
    found = [[(part["start"], part["end"], part["score"]) for part in json.loads(row)] for row in rows]
    columns = {"presidio": 0.0, "presidio_40": 0.4}
    return head, {
        name: [
            _without(line.text, [(start, end) for start, end, score in parts if score >= least])
            for line, parts in zip(lines, found, strict=True)
        ]
        for name, least in columns.items()
    }


def _without(text: str, parts: Iterable[tuple[int, int]]) -> str:
    gone = {at for start, end in parts for at in range(start, end)}
    return "".join("\n" if at in gone else character for at, character in enumerate(text))


def _shares(lines: Sequence[Line], texts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """By the name of a row, how many of how many."""
    counted: dict[str, list[bool]] = {}
    for line, redacted in zip(lines, texts, strict=True):
        for span in line.spans:
            found = is_found(line, span, redacted)
            for name in (span.kind, f"all kinds, {line.language}", "all kinds"):
                counted.setdefault(name, []).append(found)
        if not line.spans:
            for name in (f"harmless changed, {line.language}", "harmless changed"):
                counted.setdefault(name, []).append(is_changed(line, redacted))
    return {name: (sum(hits), len(hits)) for name, hits in counted.items()}


def _place(name: str) -> tuple[bool, bool, str]:
    """Kinds first, then all of them, then harmless texts."""
    return name.startswith("harmless"), name.startswith("all kinds"), name


def rows_of(lines: Sequence[Line], systems: Mapping[str, Sequence[str]]) -> list[Row]:
    """One row per kind and language.

    `systems` are redacted texts by name, the share that the first one finds is the row's value.
    """
    shares = {name: _shares(lines, texts) for name, texts in systems.items()}
    first, *others = shares
    rows = []
    for name in sorted(shares[first], key=_place):
        percent = {system: 100 * found[name][0] / found[name][1] for system, found in shares.items()}
        more = {"of": float(shares[first][name][1]), **{system: percent[system] for system in others}}
        rows.append(Row(name, "%", percent[first], percent[first], percent[first], 1, more))
    return rows


def failures_of(lines: Sequence[Line], texts: Sequence[str]) -> list[str]:
    found = []
    for line, redacted in zip(lines, texts, strict=True):
        missed = [span.kind for span in line.spans if not is_found(line, span, redacted)]
        if missed or (not line.spans and is_changed(line, redacted)):
            found.append(f"{', '.join(missed) or 'changed'}: {line.text!r} -> {redacted!r}")
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("test", "validation", "all"), default="test")
    parser.add_argument("--limit", type=int, help="only so many texts, spread evenly")
    parser.add_argument("--presidio", metavar="PYTHON", help="interpreter with presidio-analyzer installed")
    parser.add_argument("--failures", action="store_true", help="print what triage missed or changed (validation only)")
    arguments = parser.parse_args()
    if arguments.failures and arguments.split != "validation":
        parser.error("--failures: only with --split validation, so that nobody mends what the test split holds")
    lines = load_lines(arguments.split)
    lines = lines[:: max(1, len(lines) // arguments.limit)][: arguments.limit] if arguments.limit else lines
    systems: dict[str, Sequence[str]] = {"triage": by_triage(lines)}
    title = f"redaction, {arguments.split} split"
    if arguments.presidio:
        head, columns = by_presidio(lines, arguments.presidio)
        title, systems = f"{title}; {head}", {**systems, **columns}
    if arguments.failures:
        print("\n".join(failures_of(lines, systems["triage"])))
    publish("redaction", rows_of(lines, systems), title=title)


if __name__ == "__main__":
    main()
