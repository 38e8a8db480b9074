"""Words, phrases in quotes and exclusions of a search, and what looks like an operator but is none."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.console.search_syntax import Search, parse_search


@pytest.mark.parametrize(("text", "found"), [
    ("parcel  lost", Search(("parcel", "lost"))),
    ('"not arrived" parcel', Search(("parcel",), ("not arrived",))),
    ("parcel -lost", Search(("parcel",), excluded=("lost",))),
    ('-"not arrived" parcel', Search(("parcel",), excluded=("not arrived",))),
    ("“还没到” －退款", Search((), ("还没到",), ("退款",))),
    ("「还没到」−退款", Search((), ("还没到",), ("退款",))),
    ("e-mail 5-star a - b", Search(("e-mail", "5-star", "a", "b"))),
    ('the 5" screen', Search(("the", '5"', "screen"))),
    ('"" - "-" -- !!', Search()),
    ('parcel "not arr', Search(("parcel",), ("not arr",), unclosed=True)),
])  # fmt: skip
def test_a_search_is_read(text, found):
    assert parse_search(text) == found


def test_what_looks_like_an_operator_is_a_word_and_said_to_be_one():
    found = parse_search("lost OR late deliv* brand:Acme at:noon or not", frozenset({"brand"}))
    assert found.literal == ("OR", "deliv*", "brand:Acme")
    assert "brand:Acme" in found.words


@settings(max_examples=200)
@given(st.text(alphabet='ab "“”-－!*:', max_size=20))
def test_every_text_is_a_search_whose_parts_stand_in_it(text):
    found = parse_search(text)
    for part in (*found.words, *found.phrases, *found.excluded):
        assert part in text
    assert len(found.conditions()) == bool(found.words) + len(found.phrases) + bool(found.excluded)
