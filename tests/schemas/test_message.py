"""Messages on triage's own topics that triage did not write."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import NotUnderstood
from triage.schemas.action import Action
from triage.schemas.alert import Alert
from triage.schemas.counts import CountMessage, Watermark
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder

KINDS = [Action, Alert, CountMessage, DeadLetter, EnrichedRecord, ForgottenAuthor]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"{}",
        b"[]",
        b'{"author": "\xff", "at_ms": 1}',
        b'{"type": "\xc3\x28"}',
        b'{"unknown": "\xc3\x28"}',
        b'{"\xff": 1}',
        b'{"x": ' + b"[" * 100_000,
        b'{"at_ms": ' + b"9" * 5_000 + b"}",
    ],
)
def test_other_content_is_not_understood(kind, value):
    with pytest.raises(NotUnderstood):
        MessageDecoder(kind).decode(value)


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_any_bytes_are_a_message_or_not_understood(kind, value):
    for each in (value, b'{"dedup_key": "' + value + b'"}'):
        with pytest.raises(NotUnderstood):
            MessageDecoder(kind).decode(each)


def test_a_message_is_itself():
    mark = Watermark(topic="t", partition=0, watermark_ms=5, offset=1, lag=0, at_ms=6)
    assert MessageDecoder(CountMessage).decode(msgspec.json.encode(mark)) == mark
