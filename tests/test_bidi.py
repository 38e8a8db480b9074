"""Names that read from the right within plain text."""

import pytest

from triage.bidi import closed, isolated


@pytest.mark.parametrize("text", ["Acme", "Ünïque & Söhne", "很好", "", "4711", "«Acme»", "🙂"])
def test_what_reads_from_the_left_stays_as_it_is(text):
    assert isolated(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("أكمي", "\u2068أكمي\u2069"),
        ("עקמי 2", "\u2068עקמי 2\u2069"),
        ("Acme أكمي", "\u2068Acme أكمي\u2069"),
        ("\u202eemcA", "\u2068emcA\u2069"),
        ("\u2067Acme", "\u2068Acme\u2069"),
        ("أكمي\u2069\u2069", "\u2068أكمي\u2069"),
    ],
)
def test_what_reads_from_the_right_or_would_turn_the_line_is_isolated(text, written):
    assert isolated(text) == written


def test_what_is_cut_within_an_isolate_ends_it():
    assert closed("\u2068أك…") == "\u2068أك…\u2069"
    assert closed("\u2068أكمي\u2069 x") == "\u2068أكمي\u2069 x"
