"""Personal data by kinds in the forms that people write, and 340 texts that only look like it.

`forms.txt.bz2` has a heading per kind, then a text a line with the personal part in « »; a line without one is a label
above the next. Written for these rules, from public knowledge of the formats: benchmarks/data/own is the measure.
"""

import bz2
import collections
import re
from pathlib import Path

import pytest

from benchmarks.redaction import Line, Span, is_changed, is_found
from triage.config import RedactionSettings
from triage.redaction import Redactor

REDACTOR = Redactor(RedactionSettings())
FORMS = Path(__file__).with_name("forms.txt.bz2")
# Percent that must be found; the rest are forms that could be anything, such as `gate 4471`.
LEAST = {
    "passport_or_permit": 100,
    "bank_account": 95,
    "secret": 95,
    "phone": 99,
    "plate": 100,
    "national_id": 97,
    "email": 97,
    "other": 100,
}


def _line(marked: str) -> Line:
    parts, spans, length = re.split("[«»]", marked), [], 0
    for number, part in enumerate(parts):
        if number % 2:
            spans.append(Span(length, length + len(part), "personal"))
        length += len(part)
    return Line("".join(parts), "en", "own", tuple(spans))


def _load() -> dict[str, list[Line]]:
    lines: dict[str, list[Line]] = collections.defaultdict(list)
    kind, label = "", ""
    for row in bz2.decompress(FORMS.read_bytes()).decode().splitlines():
        if row.startswith("# "):
            kind, label = row[2:], ""
        elif "«" not in row and kind != "harmless":
            label = row + "\n"
        elif row:
            lines[kind].append(_line(label + row))
            label = ""
    return lines


LINES = _load()


def test_every_kind_has_its_share() -> None:
    assert set(LINES) == {*LEAST, "harmless"}
    assert sum(map(len, LINES.values())) > 1_400


@pytest.mark.parametrize("kind", LEAST)
def test_personal_data_is_found(kind: str) -> None:
    missed, total = [], 0
    for line in LINES[kind]:
        redacted = REDACTOR.redact(line.text).text
        total += len(line.spans)
        missed += [line.text for span in line.spans if not is_found(line, span, redacted)]
    assert 100 * (total - len(missed)) / total >= LEAST[kind], missed


def test_what_only_looks_like_it_stays() -> None:
    changed = [line.text for line in LINES["harmless"] if is_changed(line, REDACTOR.redact(line.text).text)]
    assert changed == []


def test_redacting_again_changes_nothing() -> None:
    for lines in LINES.values():
        for line in lines:
            once = REDACTOR.redact(line.text).text
            assert REDACTOR.redact(once).text == once
