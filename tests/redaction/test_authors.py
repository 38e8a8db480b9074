import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.config import RedactionSettings
from triage.redaction import Redactor
from triage.redaction.authors import author_of, mask_author, writer_of

REDACTOR = Redactor(RedactionSettings())


@pytest.mark.parametrize(
    ("author", "text", "masked"),
    [
        ("cust-8877", "I am cust-8877, answer me", "I am [HANDLE], answer me"),
        ("C1002345", "my number is c1002345.", "my number is [HANDLE]."),
        ("1002345", "我的客户号1002345，请查", "我的客户号[HANDLE]，请查"),
        ("zoe_q@shop", "(zoe_q@shop) and again zoe_q@shop", "([HANDLE]) and again [HANDLE]"),
        ("a.b*c", "a.b*c but not aXbXc", "[HANDLE] but not aXbXc"),
        ("cust-8877", "cust-88770 and xcust-8877 are others", "cust-88770 and xcust-8877 are others"),
        ("anna", "anna is a name", "anna is a name"),
        ("customer", "a customer is a customer", "a customer is a customer"),
        ("42", "42 days", "42 days"),
        ("[HANDLE", "of [HANDLE]", "of [HANDLE]"),
        ("", "nothing", "nothing"),
        (None, "nothing", "nothing"),
    ],
)
def test_an_id_that_stands_alone_is_masked(author, text, masked):
    assert mask_author(text, author) == masked


def test_a_masked_id_is_an_entity_and_the_text_counts_as_redacted():
    redacted = REDACTOR.redact("It is cust-8877 again", "cust-8877")
    assert redacted.text == "It is [HANDLE] again"
    assert redacted.changed
    (span,) = redacted.spans
    assert (span.label, redacted.text[span.start : span.end]) == ("handle", "[HANDLE]")


def test_who_keeps_handles_keeps_ids_in_texts():
    keeping = Redactor(RedactionSettings(kinds=["email"]))
    assert keeping.redact_text("It is cust-8877 again", "cust-8877") == "It is cust-8877 again"


def test_attributes_and_links_of_the_record_lose_it_too():
    attributes = REDACTOR.redact_attributes({"note": "of cust-8877", "cust-8877": 1, "other": "x"}, "cust-8877")
    assert attributes == {"note": "of [HANDLE]", "[HANDLE]": 1, "other": "x"}
    link = REDACTOR.redact_text("https://shop.example/u/cust-8877/orders", "cust-8877")
    assert "cust-8877" not in link
    assert REDACTOR.redact_text(link, "cust-8877") == link


@pytest.mark.parametrize(
    ("payload", "author"),
    [
        ('{"author_id": "cust-8877", "text": 7}', "cust-8877"),
        ('{"author_id": 1002345}', "1002345"),
        ('{"author_id": true}', None),
        ('{"author_id": "cust-8877", broken', "cust-8877"),
        ("author_id=cust-8877&text=", "cust-8877"),
        ("[1, 2]", None),
        ("plain words", None),
        ("[" * 100_000, None),
    ],
)
def test_the_author_of_a_payload(payload, author):
    assert author_of(payload) == author


@pytest.mark.parametrize(
    ("payload", "writer"),
    [
        ('{"author_id": 1002345, "source": "shop"}', ("shop", "1002345")),
        ('{"author_id": 1002345.0, "source": "shop"}', ("shop", "1002345")),
        ('{"author_id": "cust-8877", "source": ""}', (None, "cust-8877")),
        ('{"author_id": "", "source": "shop"}', None),
        ('{"author_id": "cust-8877", "source": "shop", "text": "broken', ("shop", "cust-8877")),
        ('{"resource": "x", "source": "shop", "author_id": "cust-8877", broken', ("shop", "cust-8877")),
        ("author_id=cust-8877&text=", (None, "cust-8877")),
        ('{"source": "shop", "text": "broken', None),
    ],
)
def test_the_writer_of_a_payload_is_the_author_at_a_source(payload, writer):
    assert writer_of(payload) == writer


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=60))
def test_no_text_makes_it_fail_and_doing_it_again_changes_nothing(before, author, after):
    once = REDACTOR.redact(f"{before} {author} {after}", author).text
    assert REDACTOR.redact(once, author).text == once
    assert author_of(json.dumps({"author_id": author})) == (author or None)
