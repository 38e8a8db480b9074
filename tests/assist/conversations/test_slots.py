"""Order numbers that a customer names without being asked for them."""

import pytest

from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.slots import read_slot
from triage.assist.playbooks.model import Slot

ORDER = Slot(kind="entity", title={"en": "order number"}, entities=["order_id"])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("refund for 771204", "771204"),
        ("Parcel 99102 hasn't arrived", "99102"),
        ("快递77120怎么还没到", "77120"),
        ("cancel 66120 please.", "66120"),
        ("it cost 12000 元", None),
        ("I paid $12500 for it", None),
        ("12500 dollars are gone", None),
        ("that is 10000% more", None),
        ("since 2026", None),
        ("10482 or 10483, I am not sure", None),
        ("call 10482-55", None),
        ("version 12345.6", None),
    ],
)
def test_a_long_number_that_stands_alone_is_the_order(text: str, number: str | None) -> None:
    assert read_slot(ORDER, TurnFacts(text=text), asked=False) == number


def test_if_asked_for_four_digits_will_do() -> None:
    assert read_slot(ORDER, TurnFacts(text="it's 2026, or so"), asked=True) == "2026"
