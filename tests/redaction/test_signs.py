"""Signs: no recognizer that would find something is left out, also for letters that `re` takes for others."""

import pytest

from triage.config import RedactionSettings
from triage.redaction import Redactor
from triage.redaction.signs import signs_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("paid 20 DOLLARS on 3 ſept 2026", "paid 20 DOLLARS on 3 ſept 2026"),
        ("https://shop.example/p/1?token=2", "https://shop.example/p/1"),
        ("WWW.shop.example/users/jane-roe-88", "WWW.shop.example/users/[HANDLE]"),
    ],
)
def test_texts_are_redacted_as_without_signs(text: str, shown: str) -> None:
    assert Redactor(RedactionSettings()).redact_text(text) == shown


def test_a_plain_complaint_has_no_signs() -> None:
    assert signs_in("the sofa is awful and nobody helps me") == frozenset()


@pytest.mark.parametrize(
    ("text", "sign"),
    [("3 SEPT", "date"), ("5 EUR", "money"), ("ORDER", "order_id"), ("运单", "tracking_id")],
)
def test_signs_ignore_case(text: str, sign: str) -> None:
    assert sign in signs_in(text)
