"""Splits articles into passages that are parts of them, word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.assist.knowledge.passages import split_article
from triage.assist.knowledge.tokens import TokenCounter
from triage.schemas.knowledge import Article

MOST = 60


@pytest.fixture(scope="module")
def counter():
    return TokenCounter()


def article(body):
    return Article(id="a", title="T", language="en", body=body)


def test_passages_stay_below_their_headings(counter):
    body = "Intro.\n\n# Refunds\n\nFive days.\n\n## By card\n\nSeven days.\n\n# Fees\n\nNone."
    found = split_article(article(body), counter, MOST)
    assert [(each.number, each.heading, each.text) for each in found] == [
        (1, "", "Intro."),
        (2, "Refunds", "Five days."),
        (3, "Refunds › By card", "Seven days."),
        (4, "Fees", "None."),
    ]


def test_a_section_that_fits_is_one_passage(counter):
    body = "# A\n\nOne.\n\n- two\n- three\n\nFour."
    (found,) = split_article(article(body), counter, MOST)
    assert found.text == "One.\n\n- two\n- three\n\nFour."


def test_long_paragraphs_end_with_a_sentence(counter):
    sentences = [f"This is sentence number {number} of a long paragraph about parcels." for number in range(20)]
    found = split_article(article(" ".join(sentences)), counter, MOST)
    assert len(found) > 3
    assert all(each.text.endswith(".") for each in found)
    assert [sentence for each in found for sentence in each.text.split(". ")]


def test_headings_in_fenced_parts_are_text(counter):
    (found,) = split_article(article("```\n# not a heading\n```"), counter, MOST)
    assert found.heading == ""


PIECES = st.sampled_from(
    [
        "# ",
        "## ",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "```",
        "~~~",
        " ",
        "word ",
        "退款。",
        "很长的一句话没有标点",
        "😀",
        "<script>",
        "\t",
        "\u200b",
        "𠮷",
        "é",
    ]
)


@given(st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=300))
def test_every_passage_is_a_part_of_the_article(body):
    counter = _COUNTER[0] if _COUNTER else _COUNTER.append(TokenCounter()) or _COUNTER[0]
    found = split_article(article(body), counter, MOST)
    end = 0
    for number, each in enumerate(found, 1):
        assert each.number == number
        assert each.text == body[each.start : each.end]
        assert each.text.strip() == each.text != ""
        assert each.start >= end
        assert counter.starts(each.text).count(0, len(each.text)) <= MOST
        end = each.end


_COUNTER = []
