"""A dead letter stays small and clean, whatever the record was."""

import msgspec

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.redaction import Redactor
from triage.types import Position


def letter_of(value, headers):
    dead_letter_factory = DeadLetterFactory(
        Redactor(load_settings(None, {}).redaction), ManualClock(1_795_339_800_000), Metrics()
    )
    return dead_letter_factory.create(
        ConsumedMessage(Position("t", 0, 1), 5, value, tuple(headers), 1), InvalidRecord("x", "bad")
    )


def test_thousands_of_headers_and_long_names_stay_below_a_message_s_size():
    many = [(f"name-{number}", b"v" * 200) for number in range(6_000)]
    letter = letter_of(b"{}" * 100_000, [*many, ("n" * 2_000_000, b"v")])
    assert letter.headers["<cut>"] == "the first 50 of 6001 headers"
    assert len(letter.headers) == 51
    assert len(msgspec.json.encode(letter)) < 50_000
    long = letter_of(b"{", [("n" * 2_000_000, b"v" * 2_000_000), ("\x01" * 9_000, b"\x01" * 90_000)])
    assert len(msgspec.json.encode(long)) < 50_000


def test_the_author_is_named_though_the_payload_was_cut():
    long = b'{"source": "shop", "author_id": "cust-8877", "text": "", "note": "' + b"x " * 9_000 + b'"}'
    author = Redactor(load_settings(None, {}).redaction).author_hash("shop", "cust-8877")
    for value in (long, long[:-2], b'{"text": "", "source": "shop", "author_id": "cust-8877"}'):
        assert letter_of(value, []).author_id == author
    assert letter_of(b'{"text": ""}', []).author_id is None
    assert letter_of(b"\xff", []).author_id is None


def test_a_name_or_value_that_is_cut_shows_no_half_of_what_is_personal():
    # The cut of what is redacted falls into the middle of the address; what is left of it must not come to light.
    filler = "x" * 8_180 + " "
    letter = letter_of(b"{", [(filler + "jane.doe@example.com", (filler + "jane.doe@example.com").encode())])
    assert "jane" not in str(letter.headers)
