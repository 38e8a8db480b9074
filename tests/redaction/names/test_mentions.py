"""Further mentions of a name: in which forms it is found, and which words are none."""

import pytest

from triage.redaction.names.mentions import mentions_of


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Jane Smith", "jane SMITH"),
        ("Jane Smith", "u/jane.smith"),
        ("Jane Smith", "jane%20smith"),
        ("Jane Smith", "#JaneSmith"),
        ("Jane\nSmith", "Jane  Smith"),
        ("sarah", "Sarah"),
        ("Nathan", "NATHAN"),
        ("王小明", "我是王小明的妈妈"),
        ("陳大文", "陈大文"),
        ("Tom", "我找Tom说"),
        ("Siobhán", "Siobhán's"),
    ],
)
def test_a_whole_name_is_found(name, text):
    assert mentions_of([name]).whole(text)


@pytest.mark.parametrize(
    ("name", "text"), [("Nathan", "nathan"), ("Ann", "Annual"), ("Lee", "fleece"), ("Jane Smith", "janesmithson")]
)
def test_other_words_are_none(name, text):
    assert not mentions_of([name]).whole(text)


@pytest.mark.parametrize("name", ["Will", "may", "李", "客服", "J.", "...", ""])
def test_ordinary_words_and_single_characters_are_not_looked_for(name):
    assert mentions_of([name]) is None


def test_words_of_a_name_but_titles_and_ordinary_words():
    mentions = mentions_of(["Mrs Grace Prentiss", "Mr Li"])
    text = "Prentiss and PRENTISS, not prentiss. By the Grace of Mrs Li"
    assert [text[start:end] for start, end in mentions.words(text)] == ["Prentiss", "PRENTISS"]
