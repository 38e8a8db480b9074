"""Phrases by themselves: which are found in which text, by their numbers, and where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.rules.phrases import _HAS_UNSPACED, _TOKEN, PhraseIndex, locate, normalized


def found(text: str, *phrases: str) -> list[str]:
    index = PhraseIndex()
    numbers = {number: phrase for phrase in phrases for number in index.add([phrase])}
    return sorted(numbers[number] for number in index.find(text))


def test_a_phrase_has_one_number_however_it_is_written() -> None:
    index = PhraseIndex()
    assert index.add(["Lawyer", "sue"]) == {0, 1}
    assert index.add([" lawyer ", "SUE", "court"]) == {0, 1, 2}
    assert index.find("the court") == {2}


@pytest.mark.parametrize(
    ("text", "phrase", "holds"),
    [
        ("Third, time!", "third time", True),
        ("third the time", "third time", False),
        ("a third time", "third times", False),
        ("refunded", "refund", False),
        ("refunded", "refund*", True),
        ("a refund ordered", "refund order*", True),
        ("prerefund", "refund*", False),
        ("snake_case", "case", True),
        ("我要投诉你", "投诉", True),
        ("我要投你", "投诉", False),
        ("打12315投诉", "12315", True),
        ("ＲＥＦＵＮＤ", "refund", True),
        ("投訴", "投诉", True),
        ("plain", "投诉", False),
        ("买的iPhone坏了", "iphone坏*", True),
    ],
)
def test_words_are_whole_and_characters_are_not(text: str, phrase: str, holds: bool) -> None:
    assert bool(found(text, phrase)) is holds
    assert (locate(phrase, text) is not None) is holds


_PHRASES = [
    "refund",
    "refund*",
    "no refund",
    "to the fca",
    "the",
    "third, time",
    "!!",
    "投诉",
    "投诉*",
    "12315",
    "iphone坏",
]
_WORDS = [" ", ", ", "refund", "ed", "no", "to", "the", "fca", "THIRD", "time", "投诉", "投訴", "１２３１５", "ſ"]
_TEXTS = st.lists(st.sampled_from([*_WORDS, "iPhone坏"]) | st.text(max_size=2), max_size=9).map("".join)


def _is_in(phrase: str, text: str) -> bool:
    folded, phrase = normalized(text), normalized(phrase)
    if _HAS_UNSPACED.search(phrase):
        return phrase.removesuffix("*") in folded
    wanted = " ".join(_TOKEN.findall(phrase))
    return (f" {wanted}" if phrase.endswith("*") else f" {wanted} ") in f" {' '.join(_TOKEN.findall(folded))} "


@given(phrases=st.lists(st.sampled_from(_PHRASES), min_size=1, unique=True), text=_TEXTS)
@settings(max_examples=300)
def test_all_are_found_in_one_pass_that_each_is_found_by_itself(phrases: list[str], text: str) -> None:
    assert found(text, *phrases) == sorted(phrase for phrase in phrases if _is_in(phrase, text))


def test_several_phrases_that_begin_alike_are_told_apart() -> None:
    phrases = ("no refund", "no reply", "no", "投诉", "投诉电话")
    assert found("there was no reply", *phrases) == ["no", "no reply"]
    assert found("拨打投诉电话", *phrases) == ["投诉", "投诉电话"]


@pytest.mark.parametrize(
    ("phrase", "text", "place"),
    [
        ("refund", "refund", (0, 6)),
        ("no refund", "no. no, refund", (4, 14)),
        ("refund*", "a refunded b", (2, 10)),
        ("投诉", "我要投诉", (2, 4)),
        ("投诉*", "投诉", (0, 2)),
        ("strasse", "die Straße", (4, 10)),
    ],
)
def test_the_first_place_is_given_in_the_text_s_own_characters(phrase: str, text: str, place: tuple[int, int]) -> None:
    assert locate(phrase, text) == place


def test_texts_are_folded() -> None:
    assert normalized("Straße") == "strasse"
    assert normalized("ABC") == "abc"
    assert normalized("Ａ９ｚ") == "a9z"
    assert normalized("ﬁ") == "fi"
