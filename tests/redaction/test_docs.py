"""docs/redaction.md and the registry say the same."""

import pytest
from checkout import ROOT

from triage.config import RedactionSettings
from triage.redaction import KINDS, Redactor
from triage.redaction.docs import kinds_table

DOCS = ROOT / "docs" / "redaction.md"


def test_the_table_in_the_docs_is_the_registry() -> None:
    assert kinds_table() in DOCS.read_text("utf-8"), "paste the output of `python -m triage.redaction.docs`"


@pytest.mark.parametrize("label", KINDS)
def test_the_example_of_every_kind_is_recognised_as_it(label: str) -> None:
    keeping = Redactor(RedactionSettings(kinds=[]))
    example = KINDS[label].example
    result = keeping.redact(example)
    assert [span.label for span in result.spans] == [label]
    redacting = Redactor(RedactionSettings(kinds=[label]))
    assert KINDS[label].placeholder in redacting.redact_text(example)
