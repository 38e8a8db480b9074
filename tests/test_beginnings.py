"""Alternations with a test of the first character match what they match without it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.beginnings import any_beginning

_PATTERNS = [
    "pass(?:word)?",
    "(?<![a-z])pin",
    "(?:s|k)ign",
    "[vw]x号?",
    "a?b",
    "密码",
    "(?<!新)卡号",
    "straße",
    "(?=c)code",
    "x{0,2}y",
]
_TEXTS = st.lists(
    st.sampled_from(
        [*"PASSſİıKxykabvwWX 12", "pass", "PIN", "pin", "ſign", "Kign", "密码", "新卡号", "code", "STRASSE"]
    )
    | st.text(max_size=2),
    max_size=10,
).map("".join)


@given(patterns=st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=5, unique=True), text=_TEXTS)
@settings(max_examples=500)
def test_the_matches_are_the_same(patterns: list[str], text: str) -> None:
    plain = re.compile(f"(?i:{'|'.join(patterns)})")
    quick = re.compile(any_beginning(patterns))
    assert [match.span() for match in quick.finditer(text)] == [match.span() for match in plain.finditer(text)]


@pytest.mark.parametrize("unknown", [".x", r"\w+", "[^a]b", "a*", "(?:a|)"])
def test_patterns_whose_beginning_is_unknown_are_searched_everywhere(unknown: str) -> None:
    assert any_beginning(["pin", unknown]) == f"(?i:pin|{unknown})"


def test_words_are_tried_only_where_a_word_begins() -> None:
    assert any_beginning(["(?<![a-z])pin", "密"]) == "(?i:(?=[密]|(?<![a-z])[p])(?:(?<![a-z])pin|密))"
