"""What the index in memory adds to the contract."""

import pytest

from triage.errors import Unavailable
from triage.sinks.base import Document
from triage.sinks.memory import MemorySink

DOCUMENTS = [Document(str(n), "feedback-2026", 7, b'{"text": "late"}') for n in range(4)]


def test_an_outage_stores_half_and_the_repeat_all():
    sink = MemorySink()
    sink.outage(2)
    for _ in range(2):
        with pytest.raises(Unavailable):
            sink.write(DOCUMENTS)
        assert len(sink.documents) == 2
    assert sink.write(DOCUMENTS).indexed == 4
    assert len(sink.documents) == 4
    assert sink.writes == 3


def test_without_bodies_only_versions_are_kept():
    sink = MemorySink(keep=False)
    assert sink.write(DOCUMENTS).indexed == 4
    assert {stored.body for stored in sink.documents.values()} == {b""}
    assert sink.write([Document("0", "feedback-2026", 6, b"{}")]).conflicts == 1


@pytest.mark.parametrize("body", [b"[1]", b"", b'"text"', b"\xff"])
def test_a_body_that_is_no_json_object_is_rejected(body):
    ((position, reason),) = MemorySink().write([DOCUMENTS[0], Document("x", "i", 1, body)]).rejected
    assert position == 1
    assert reason.startswith("document_parsing_exception: ")
