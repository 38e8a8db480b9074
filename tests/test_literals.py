"""Literals of regular expressions: of each text that an expression matches, one is a part."""

import re

import pytest

from triage.han import simplified
from triage.literals import required_literals


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("Parcel", {"parcel"}),
        ("第[三四]次", {"第"}),
        ("我.?想.{0,3}[死亡]", {"死", "亡"}),
        (r"\b(?:[3-9]|[1-9][0-9]) (?:times|calls|e-?mails)\b", {"times", "calls", "mails"}),
        ("a(?:bc)+d*", {"bc"}),
        ("电影|影片", {"电影", "影片"}),
        ("電影", {"电影"}),
        ("[ab]x?", {"a", "b"}),
    ],
)
def test_the_longest_certain_strings_are_chosen(pattern: str, literals: set[str]) -> None:
    assert required_literals(pattern) == literals


@pytest.mark.parametrize("pattern", [r"\d+", "[^a]", "a?", "a*|b", ".", "[a-z]", "é", "(?:a|.)", "[abcdefghijklmnopq]"])
def test_some_have_none(pattern: str) -> None:
    assert required_literals(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("never.{0,5}again", "NEVER, again"), ("(?:烧|烤)焦", "燒焦了"), ("[吞咽]下?电池", "吞電池")],
)
def test_a_matched_text_contains_one(pattern: str, text: str) -> None:
    folded = simplified(text.lower())
    assert re.search(pattern, folded, re.IGNORECASE)
    assert any(literal in folded for literal in required_literals(pattern) or ())
