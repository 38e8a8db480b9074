"""`make bench NAME=risks`: reports of danger and the like that are seen, and harmless texts that are taken for one.

The texts are benchmarks/data/own/check_risks.jsonl.bz2, or with `--set check_risks_2` those of another author; the
harmless ones have alarming words. `seen` is the share of
the texts with a risk for which one of the shipped rules for it fires, `false` that of all others. `by_model` and
`false_by_model` count the record's `risks` alone. `--failures` prints the texts of which one decides otherwise.
`--ordinary N` decides N texts of the sample feed instead, of which nearly none has a risk, and prints each that the
model gives one: read whether it is right.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT, Row, publish
from triage.packed import read_unpacked

sys.path.insert(0, str(ROOT / "tests" / "support"))

from cases import in_this_process

DATA = ROOT / "benchmarks" / "data" / "own"
FEED = ROOT / "topics" / "feed" / "feed.jsonl.bz2"
SETS = {"check_risks": "check_risks.jsonl.bz2", "check_risks_2": "check_risks_2.jsonl.bz2"}
RULES = {
    "danger": {"danger_to_people", "life_at_risk"},
    "self_harm": {"danger_to_people", "life_at_risk"},
    "legal_threat": {"legal_or_regulator", "press"},
    "fraud": {"fraud", "fraud_words"},
    "churn_threat": {"threat_to_leave"},
}
"""Severity rules by risk; danger and self-harm both make a record critical and send it to the queue safety."""


@dataclass(frozen=True)
class Line:
    text: str
    risks: frozenset[str]


def load_lines(name: str = "check_risks") -> list[Line]:
    rows = [json.loads(line) for line in read_unpacked(DATA / SETS[name]).splitlines()]
    return [Line(row["text"], frozenset(row["risks"])) for row in rows]


def enriched(lines: Sequence[Line]) -> list[Mapping[str, Any]]:
    """The records that `triage enrich` makes of the lines, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [json.dumps({"id": str(number), "text": line.text}) for number, line in enumerate(lines)]
        (Path(folder) / "texts.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
        records, said, code = in_this_process(Path(folder), "texts.jsonl")
    if code or len(records) != len(lines):
        raise SystemExit(f"triage enrich: exit {code}, {len(records)} of {len(lines)} records: {said}")
    return sorted(records, key=lambda record: int(record["event"]["id"]))


def is_seen(record: Mapping[str, Any], label: str) -> bool:
    """True if a rule for the risk `label` fired for the record."""
    return not RULES[label].isdisjoint(record["severity"]["rules"])


def rows_of(lines: Sequence[Line], records: Sequence[Mapping[str, Any]]) -> list[Row]:
    found = []
    for label in (each for each in RULES if any(each in line.risks for line in lines)):
        counts: dict[str, list[bool]] = {"seen": [], "by_model": [], "false": [], "false_by_model": []}
        for line, record in zip(lines, records, strict=True):
            named = any(risk["label"] == label for risk in record.get("risks", []))
            # A text about death is for the queue of danger too, and the other way round.
            near = label in ("danger", "self_harm") and not line.risks.isdisjoint(("danger", "self_harm"))
            if label in line.risks:
                counts["seen"].append(is_seen(record, label))
                counts["by_model"].append(named)
            elif not near:
                counts["false"].append(is_seen(record, label))
                counts["false_by_model"].append(named)
        share = {name: 100 * sum(hits) / len(hits) for name, hits in counts.items()}
        texts = {"texts": float(len(counts["seen"])), "others": float(len(counts["false"]))}
        found.append(Row(label, "% seen", share["seen"], share["seen"], share["seen"], 1, share | texts))
    return found


def ordinary_lines(number: int) -> list[Line]:
    """The first texts of the sample feed that are valid, in an order that mixes its sources."""
    texts = []
    for line in read_unpacked(FEED).splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("text"), str) and row["text"].strip():
            texts.append(row["text"])
    mixed = sorted(dict.fromkeys(texts), key=lambda text: hashlib.sha256(text.encode()).digest())
    return [Line(text, frozenset()) for text in mixed[:number]]


def marked_rows(records: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Share of the records with each risk of the model."""
    found = []
    for label in RULES:
        marked = sum(any(risk["label"] == label for risk in record.get("risks", [])) for record in records)
        share = 100 * marked / len(records)
        counts = {"marked": float(marked), "texts": float(len(records))}
        found.append(Row(f"{label}, ordinary texts", "% marked", share, share, share, 1, counts))
    return found


def print_marked(records: Sequence[Mapping[str, Any]]) -> None:
    for record in records:
        if risks := {risk["label"]: round(risk["confidence"], 2) for risk in record.get("risks", [])}:
            print(json.dumps({"risks": risks, "text": record["text"]}, ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, default="check_risks", help="texts to decide")
    parser.add_argument("--failures", action="store_true", help="print the texts that are decided otherwise")
    parser.add_argument("--ordinary", type=int, metavar="N", help="decide N texts of the sample feed instead")
    arguments = parser.parse_args()
    if arguments.ordinary:
        records = enriched(ordinary_lines(arguments.ordinary))
        publish("risks_ordinary", marked_rows(records))
        print_marked(records)
        return
    lines = load_lines(arguments.set)
    records = enriched(lines)
    publish("risks", rows_of(lines, records))
    if arguments.failures:
        for line, record in zip(lines, records, strict=True):
            wrong = [label for label in RULES if is_seen(record, label) != (label in line.risks)]
            if wrong:
                print(json.dumps({"wrong": wrong, "risks": sorted(line.risks), "text": line.text}, ensure_ascii=False))


if __name__ == "__main__":
    main()
