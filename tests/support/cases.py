"""Runs the cases of tests/cases through `triage enrich` and says which fields of `want` do not hold."""

import contextlib
import csv
import io
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from checkout import ROOT

from triage.packed import read_unpacked

FOLDER = ROOT / "tests" / "cases"
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]+\]")
_REFUSED = re.compile(r"^[^\s:][^:]*:(\d+): (.*)")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One line of a file. `name` is file and line number."""

    name: str
    given: Json
    want: Json
    unclear: bool = False


@dataclass(frozen=True)
class Result:
    """Records of a case, what was said of its refused rows, everything that was said, and the exit status."""

    records: Sequence[Json] = ()
    refused: Sequence[str] = ()
    said: str = ""
    code: int = 0
    twin: Json | None = field(default=None)
    """The record of the text that the case is the same as."""


@cache
def load(kind: str) -> tuple[Case, ...]:
    lines = read_unpacked(FOLDER / f"{kind}.jsonl.xz").decode().splitlines()
    return tuple(
        Case(f"{kind}:{number}", data["in"], data["want"], data.get("unclear", False))
        for number, line in enumerate(lines, 1)
        for data in [json.loads(line)]
    )


def kinds() -> list[str]:
    """Every file, as `threads` or `other_hand/threads`."""
    return sorted(path.relative_to(FOLDER).as_posix().removesuffix(".jsonl.xz") for path in FOLDER.rglob("*.jsonl.xz"))


Ended = tuple[list[Json], str, int]
Enrich = Callable[..., Ended]
"""Called with a folder to be in and arguments of `triage enrich`: its records, what it said, its exit status."""


def in_process_of(python: str) -> Enrich:
    """`triage enrich` of that Python, a process a call."""

    def enrich(folder: Path, *arguments: str) -> Ended:
        command = [python, "-m", "triage", "enrich", *arguments]
        ended = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        return _records(ended.stdout), ended.stderr.decode("utf-8", "replace"), ended.returncode

    return enrich


def in_this_process(folder: Path, *arguments: str) -> Ended:
    """`triage enrich` of this checkout, without the seconds that a new process takes."""
    from triage.cli.main import main

    out, said, code = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO(), 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            main(["enrich", *arguments])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return _records(out.buffer.getvalue()), said.getvalue(), code


@contextlib.contextmanager
def built_once() -> Iterator[None]:
    """Within it, `in_this_process` loads the model once for all calls with the same settings."""
    from triage.pipeline import assemble

    enrichers: dict[str, Any] = {}
    build = assemble.build_enricher

    def cached(settings: Any, clock: Any, **parts: Any) -> Any:
        key = settings.model_dump_json()
        if key not in enrichers:
            enrichers[key] = build(settings, clock, **parts)
        return enrichers[key]

    with mock.patch.object(assemble, "build_enricher", cached):
        yield


def _records(lines: bytes) -> list[Json]:
    return [json.loads(line) for line in lines.decode("utf-8").splitlines()]


def run(cases: Iterable[Case], folder: Path, enrich: Enrich) -> dict[str, Result]:
    """The result of each case, by its name.

    All raw records are one call of `enrich`, all columns another; each file is one.
    """
    found: dict[str, Result] = {}
    cases = list(cases)
    found |= _run_records([case for case in cases if "text" in case.given and "file" not in case.given], folder, enrich)
    found |= _run_columns([case for case in cases if "header" in case.given], folder, enrich)
    for case in cases:
        if "file" in case.given:
            found[case.name] = _run_file(case, folder, enrich)
    return found


def _run_records(cases: Sequence[Case], folder: Path, enrich: Enrich) -> dict[str, Result]:
    if not cases:
        return {}
    rows = [dict(case.given) for case in cases]
    twins = {case.name: str(case.want["same_as"]) for case in cases if "same_as" in case.want}
    rows += [{"text": text, "channel": "complaint"} for text in twins.values()]
    for number, row in enumerate(rows, 1):
        row["id"] = str(number)
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    records, said, code = enrich(folder, "records.jsonl")
    assert code == 0, said
    by_line = {int(record["event"]["id"]): record for record in records}
    refused = {int(match[1]): match[2] for line in said.splitlines() if (match := _REFUSED.match(line))}
    lines_of_twins = {name: len(cases) + number for number, name in enumerate(twins, 1)}
    return {
        case.name: Result(
            [by_line[number]] if number in by_line else [],
            [refused[number]] if number in refused else [],
            twin=by_line.get(lines_of_twins.get(case.name, 0)),
        )
        for number, case in enumerate(cases, 1)
    }


def _run_columns(cases: Sequence[Case], folder: Path, enrich: Enrich) -> dict[str, Result]:
    """Row n of one table fills the column of case n alone; headers that repeat go into tables of their own."""
    found: dict[str, Result] = {}
    rest = list(cases)
    while rest:
        table: list[Case] = []
        for case in rest:
            if case.given["header"] not in {other.given["header"] for other in table}:
                table.append(case)
        rest = [case for case in rest if case not in table]
        with (folder / "columns.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", *(case.given["header"] for case in table)])
            for number, case in enumerate(table):
                values = [str(case.given["value"]) if other is case else "" for other in table]
                writer.writerow([f"Row no {number} of this export", *values])
        records, said, code = enrich(folder, "columns.csv", "--format", "csv")
        assert code == 0, said
        assert len(records) == len(table), said
        found |= {case.name: Result([record], said=said) for case, record in zip(table, records, strict=True)}
    return found


def _run_file(case: Case, folder: Path, enrich: Enrich) -> Result:
    name = Path(case.given["file"]).name
    (folder / name).write_text(case.given["content"], "utf-8", newline="")
    records, said, code = enrich(folder, name, *case.given.get("options", []))
    refused = [line for line in said.splitlines() if _REFUSED.match(line)]
    return Result(records, refused, said, code)


def failures(case: Case, result: Result) -> list[str]:
    """What of `want` does not hold, in words; fields that need a page or a server are not looked at."""
    want = case.want
    if "file" in case.given:
        return [
            problem
            for name, value in want.items()
            if name != "or_refused"
            for problem in _file_problems(name, value, case, result)
        ]
    if not result.records:
        allowed = want.get("refused") is True or want.get("or_refused")
        return [] if allowed and result.refused else [f"refused: {' '.join(result.refused)}"]
    if want.get("refused") is True:
        return ["was accepted"]
    record = result.records[0]
    return [
        f"{name}: want {value!r}, got {shown!r}"
        for name, value in want.items()
        if name in _CHECKS
        for holds, shown in [_CHECKS[name](value, record, case, result)]
        if not holds
    ]


def _file_problems(name: str, value: Any, case: Case, result: Result) -> list[str]:
    """What of one field of `want` does not hold for a file. Fields of a record concern the first one."""
    if name == "one_of":
        choices = [
            [problem for field, part in choice.items() for problem in _file_problems(field, part, case, result)]
            for choice in value
        ]
        return [] if any(not problems for problems in choices) else [f"one_of: {choices}"]
    if name == "refused" and value is True:
        return [] if result.refused and not result.records else [f"refused: {len(result.records)} accepted"]
    if name in _FILE_CHECKS:
        return _FILE_CHECKS[name](value, result)
    if not result.records:
        return [] if case.want.get("or_refused") and result.refused else [f"{name}: no record: {result.said[-400:]}"]
    holds, shown = _CHECKS[name](value, result.records[0], case, result)
    return [] if holds else [f"{name}: want {value!r}, got {shown!r}"]


Check = Callable[[Any, Json, Case, Result], tuple[bool, Any]]


def _any_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is(read: Callable[[Json], Any]) -> Check:
    return lambda value, record, case, result: (read(record) in _any_of(value), read(record))


def _is_not(read: Callable[[Json], Any]) -> Check:
    return lambda value, record, case, result: (read(record) not in _any_of(value), read(record))


def _has(read: Callable[[Json], Sequence[Any]]) -> Check:
    return lambda value, record, case, result: (any(one in read(record) for one in _any_of(value)), read(record))


def _has_not(read: Callable[[Json], Sequence[Any]]) -> Check:
    return lambda value, record, case, result: (all(one not in read(record) for one in _any_of(value)), read(record))


def _newest_part(record: Json) -> str:
    body = record.get("body")
    if body is None:
        return str(record["text"])
    return "\n\n".join(record["text"][part["start"] : part["end"]] for part in _any_of(body))


def _is_newest_part(value: str, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    """Up to white space and to what redaction replaced."""
    found = _newest_part(record)
    pattern = r"\s*.{1,60}?\s*".join(re.escape(part) for part in _PLACEHOLDER.split(" ".join(found.split())))
    wanted = " ".join(value.split())
    return wanted == " ".join(found.split()) or re.fullmatch(pattern, wanted) is not None, found


def _labels(record: Json) -> dict[str, Any]:
    return {
        "sentiment": record["sentiment"]["label"],
        "intent": record["intent"]["label"],
        "severity": record["severity"]["level"],
        "queue": record["route"]["queue"],
    }


def _is_like_twin(value: str, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    assert result.twin is not None, f"the twin of {case.name} was refused"
    kind = case.name.partition(":")[0].rpartition("/")[2]
    if kind == "traditional_redaction":
        found, wanted = (set(_PLACEHOLDER.findall(one["text"])) for one in (record, result.twin))
        return found == wanted, (found, wanted)
    ours, other = _labels(record), _labels(result.twin)
    names = {"severity", "queue"} if kind == "traditional_rules" else set(ours)
    if "review" in (ours["queue"], other["queue"]):
        # There the model is unsure of one of the two. How sure it is differs between processors.
        names.discard("queue")
    differing = {name: (ours[name], other[name]) for name in sorted(names) if ours[name] != other[name]}
    return not differing, differing


def _strings(value: Any) -> list[str]:
    """Every string of a record but its id, versions and times."""
    if isinstance(value, dict):
        return [
            text
            for key, item in value.items()
            if key not in {"event", "versions", "@timestamp"}
            for text in _strings(item)
        ]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [str(value)]


def _is_secret(value: Any, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    left = [one for one in _any_of(value) if any(one in text for text in _strings(record))]
    return not left, left


def _is_kept(value: Any, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    return all(one in record["text"] for one in _any_of(value)), record["text"]


def _is_redacted(value: bool, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    new = set(_PLACEHOLDER.findall(record["text"])) - set(_PLACEHOLDER.findall(str(case.given.get("text", ""))))
    return ("redacted" in record["flags"] or bool(new)) is value, record["text"]


def _is_personal(value: bool, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    kept = [text for text in _strings(record) if str(case.given["value"]) in text]
    return bool(kept) is not value, kept or record.get("attributes")


def _is_in_form(value: str, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    values = [text for text in _strings(record.get("attributes", {})) if text]
    placeholders = [text for text in values if _PLACEHOLDER.search(text)]
    return (not placeholders if value == "hash" else len(placeholders) == len(values)), values


def _event_ms(record: Json) -> float:
    return datetime.fromisoformat(record["@timestamp"]).timestamp()


def _is_at(value: str | None, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    if value is None:
        return record["@timestamp"][:10] == record["event"]["ingested"][:10], record["@timestamp"]
    return _event_ms(record) == datetime.fromisoformat(value).timestamp(), record["@timestamp"]


def _is_not_at(value: str, record: Json, case: Case, result: Result) -> tuple[bool, Any]:
    return _event_ms(record) != datetime.fromisoformat(value).timestamp(), record["@timestamp"]


_CHECKS: dict[str, Check] = {
    "sentiment": _is(lambda record: record["sentiment"]["label"]),
    "sentiment_not": _is_not(lambda record: record["sentiment"]["label"]),
    "intent": _is(lambda record: record["intent"]["label"]),
    "language": _is(lambda record: record["language"]),
    "severity": _is(lambda record: record["severity"]["level"]),
    "severity_not": _is_not(lambda record: record["severity"]["level"]),
    "queue": _is(lambda record: record["route"]["queue"]),
    "queue_not": _is_not(lambda record: record["route"]["queue"]),
    "rule": _has(lambda record: record["severity"]["rules"]),
    "rule_not": _has_not(lambda record: record["severity"]["rules"]),
    "flag": _has(lambda record: record["flags"]),
    "flag_not": _has_not(lambda record: record["flags"]),
    "entity": _has(lambda record: [entity["label"] for entity in record["entities"]]),
    "entity_not": _has_not(lambda record: [entity["label"] for entity in record["entities"]]),
    "label": _has(lambda record: record["text"]),
    "brand": _is(lambda record: record.get("brand")),
    "rating": _is(lambda record: record.get("rating")),
    "newest_part": _is_newest_part,
    "same_as": _is_like_twin,
    "secret": _is_secret,
    "keep": _is_kept,
    "redacted": _is_redacted,
    "personal": _is_personal,
    "form": _is_in_form,
    "event_time": _is_at,
    "event_time_not": _is_not_at,
}


def _counted(name: str) -> Callable[[Any, Result], list[str]]:
    def check(value: Any, result: Result) -> list[str]:
        found = len(result.records if name == "accepted" else result.refused)
        return [] if found == value else [f"{name}: want {value}, got {found}: {result.said[-400:]}"]

    return check


def _is_same(found: Any, content: Any) -> bool:
    numbers = isinstance(found, (int, float)) and isinstance(content, (int, float))
    return found == content if numbers else " ".join(str(found).split()) == " ".join(str(content).split())


def _stored(record: Json, name: str) -> Any:
    if name == "id":
        return record["event"]["id"]
    if name == "created_at":
        return record["@timestamp"]
    return record.get(name, record.get("attributes", {}).get(name))


def _has_records(value: Sequence[Json], result: Result) -> list[str]:
    problems = []
    for number, wanted in enumerate(value):
        record = result.records[number] if number < len(result.records) else None
        for name, content in wanted.items():
            found = None if record is None else _stored(record, name)
            same = _is_same(found, content) or (
                name == "created_at" and record is not None and _is_at(content, record, Case("", {}, {}), result)[0]
            )
            if not same:
                problems.append(f"record {number + 1}: {name}: want {content!r}, got {found!r}")
    return problems


def _ends_as(value: Json, result: Result) -> list[str]:
    """By id, the text that stands in the end."""
    texts = {record["event"]["id"]: record["text"] for record in result.records}
    return [f"final: {key}: {texts.get(key)!r}" for key, text in value.items() if texts.get(key) != text]


_FILE_CHECKS: dict[str, Callable[[Any, Result], list[str]]] = {
    "final": _ends_as,
    "accepted": _counted("accepted"),
    "refused": _counted("refused"),
    "accepted_at_least": lambda value, result: (
        [] if len(result.records) >= value else [f"accepted {len(result.records)}"]
    ),
    "records": _has_records,
    "refused_file": lambda value, result: [] if (result.code != 0) is bool(value) else [f"exit {result.code}"],
    "errors_at_most": lambda value, result: [] if len(result.refused) <= value else [f"{len(result.refused)} errors"],
    "error_names": lambda value, result: (
        [] if all(str(one) in result.said for one in _any_of(value)) else [result.said]
    ),
    "warns": lambda value, result: [] if all(str(one) in result.said for one in _any_of(value)) else [result.said],
    "keeps": lambda value, result: [
        f"{one!r} is lost"
        for one in _any_of(value)
        if not any(one in text for r in result.records for text in _strings(r))
    ],
}
