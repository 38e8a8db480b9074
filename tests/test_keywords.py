"""Keywords: what is found in one pass is what a search for each finds, and case folding misses no letter of `re`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.keywords import KeywordGroups, Keywords, caseless

_SOME = st.text(alphabet="abc 投诉ß", max_size=12)


@given(_SOME, st.lists(st.text(alphabet="abc 投诉ß", min_size=1, max_size=3), unique=True, max_size=6))
def test_every_keyword_of_a_text_is_found_also_where_they_overlap(text: str, keywords: list[str]) -> None:
    assert Keywords(keywords).find(text) == {at for at, keyword in enumerate(keywords) if keyword in text}


def test_half_a_surrogate_pair_is_part_of_no_keyword() -> None:
    assert Keywords(["b", "c"]).find("a\ud800b") == {0}


def test_an_empty_keyword_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        Keywords(["a", ""])


def test_many_keywords_are_found_too() -> None:
    many = [f"keyword{number:05d}" for number in range(2_000)]
    assert Keywords(many).find("xkeyword01999x") == {1_999}


def test_a_keyword_may_be_in_several_groups() -> None:
    groups = KeywordGroups({"secret": ("pin", "code"), "phone": ("pin",), "none": ()})
    assert groups.find("my pin") == {"secret", "phone"}
    assert groups.find("the code") == {"secret"}
    assert groups.find("") == frozenset()


@given(st.text(alphabet="sSſkK\u212aiIıİ投", max_size=8), st.text(alphabet="ski投", min_size=1, max_size=3))
def test_what_an_expression_finds_ignoring_case_is_in_the_folded_text(text: str, keyword: str) -> None:
    if re.search(keyword, text, re.IGNORECASE):
        assert keyword in caseless(text)
