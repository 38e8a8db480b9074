"""Where signatures, headers, attributions and programs' messages end: the first that is too long is read."""

import pytest

from triage.body import read_body
from triage.body.automatic import is_automatic
from triage.body.footer import without_footer
from triage.body.stand_ins import is_stand_in
from triage.body.thread import Line, new_parts, split_lines

NEW = "The kettle leaks."


def read(text):
    return read_body(text).parts.joined(text)


def test_lines_end_at_any_break_and_keep_their_offsets():
    assert split_lines("a\r\nb\n\nc\rd") == [
        Line(0, 1, "a"), Line(3, 4, "b"), Line(5, 5, ""), Line(6, 7, "c"), Line(8, 9, "d"),
    ]  # fmt: skip
    assert [line.blank for line in split_lines("a\n \n")] == [False, True, True]


@pytest.mark.parametrize(("lines", "left_out"), [(1, True), (10, True), (11, False)])
def test_a_signature_has_at_most_ten_lines(lines, left_out):
    text = f"{NEW}\n\nKind regards,\n" + "\n".join(f"Line {number}" for number in range(lines))
    assert read(text) == (NEW if left_out else text)


@pytest.mark.parametrize(("chars", "left_out"), [(60, True), (61, False)])
def test_a_signature_s_lines_have_at_most_sixty_characters(chars, left_out):
    text = f"{NEW}\n\nKind regards,\n" + "x" * chars
    assert read(text) == (NEW if left_out else text)


def test_a_short_word_without_a_name_and_a_sign_off_on_the_first_line_stay():
    assert read(f"{NEW}\n\nKind regards,") == NEW
    assert read(f"{NEW}\n\nCheers") == f"{NEW}\n\nCheers"
    assert read(f"Kind regards,\n{NEW}") == f"Kind regards,\n{NEW}"


def test_only_the_first_four_delimiters_are_looked_at():
    """Somebody speaks for himself below each of them until the last."""
    for number, left_out in ((3, True), (4, False)):
        text = f"{NEW}\n" + "--\nI want my money\n" * number + "--\nJane Roe"
        assert ("Jane Roe" in read(text)) is not left_out


def test_a_delimiter_on_the_first_line_begins_no_signature():
    assert read("--\nJane Roe") == "--\nJane Roe"


def test_the_end_is_given_in_the_whole_text():
    text = f"before\n{NEW}\n\nSent from my iPhone\nafter"
    assert without_footer(text, 7, len(text) - 6) == 7 + len(NEW)
    assert without_footer(NEW, 0, 5) == 5
    assert without_footer("\n\n", 0, 2) == 2
    assert without_footer(f"{NEW}\n\n", 0, len(NEW) + 2) == len(NEW)


def test_footers_below_one_another_go():
    assert read(f"{NEW}\n\n--\nJane Roe\n\nSent from my iPhone\n") == NEW


@pytest.mark.parametrize(
    ("headers", "parts"),
    [
        (["From: Jane", "Sent: Tuesday", "To: Support"], 1),
        (["From: Jane", "", "Sent: Tuesday", "", "To: Support", "", "Subject: RE | 1"], 1),
        (["From: Jane", "Sent: Tuesday"], 0),
        (["Date: Monday", "Sent: Tuesday", "To: Support", "Subject: RE"], 0),
        (["From: Jane", "From: Jim", "From: Jo"], 0),
        (["Subject: RE", "To: Support", *["To: Support"] * 9, "From: Jane"], 1),
        (["Subject: RE", "To: Support", *["To: Support"] * 10, "From: Jane"], 0),
    ],
)
def test_three_headers_with_the_sender_among_the_first_twelve_begin_history(headers, parts):
    text = "\n".join([NEW, "", *headers, "", "Old."])
    found = new_parts(text)
    assert found == ([(0, len(NEW))] if parts else [])


@pytest.mark.parametrize(
    ("attribution", "found"),
    [
        ("On 24 Nov 2026, Jane Roe <[EMAIL]> wrote:", True),
        ("On 24 Nov 2026\nJane Roe\n<[EMAIL]> wrote:", True),
        ("On 24 Nov 2026\nJane\nRoe\n<[EMAIL]> wrote:", False),
        ("On the phone she wrote:", False),
    ],
)
def test_an_attribution_is_folded_over_at_most_three_lines_and_has_a_date_or_an_address(attribution, found):
    text = f"{NEW}\n\n{attribution}\nOld."
    assert new_parts(text) == ([(0, len(NEW))] if found else [])


def test_what_stands_below_a_marked_quote_is_new_again():
    text = f"On 24 Nov 2026, Jane <[EMAIL]> wrote:\n\n> Old.\n\n> Older.\n\n{NEW}\nMore."
    assert new_parts(text) == [(text.index(NEW), len(text))]


def test_a_lone_comparison_is_no_quote_and_two_are():
    assert new_parts(f"{NEW}\n> 3 weeks") == []
    assert new_parts(f"{NEW}\n> 3 weeks\n> 4 weeks") == [(0, len(NEW))]
    assert new_parts(f"{NEW}\n> weeks") == [(0, len(NEW))]


def test_answers_between_quotes_are_parts_of_their_own():
    assert new_parts("> a\n\none\n\n> b\n\ntwo\n\n") == [(5, 8), (15, 18)]


def test_a_line_of_underscores_above_the_headers_goes_with_them():
    headers = "From: Jane\nSent: Tuesday\nTo: Support\n\nOld."
    assert new_parts(f"{NEW}\n\n_______\n\n{headers}") == [(0, len(NEW))]
    assert new_parts(f"{NEW}\n__\n{headers}") == [(0, len(NEW) + 3)]


def test_a_program_s_message_has_at_most_two_thousand_characters():
    text = "Automatic reply: I am away. "
    assert is_automatic(text + "x" * (2_000 - len(text)))
    assert not is_automatic(text + "x" * (2_001 - len(text)))


def test_a_stand_in_has_at_most_eighty_characters():
    assert is_stand_in("(No comment" + "." * 69)
    assert not is_stand_in("(No comment" + "." * 70)
    assert is_stand_in("【此用户 没有填写评价。】")
    assert not is_stand_in("...")


def test_what_a_text_is_is_said_with_and_without_lines():
    assert read_body("No comment").no_text
    assert read_body("No\ncomment").no_text
    assert not read_body(NEW).no_text
    assert read_body("Automatic reply: I am away.").automatic
    assert read_body("Automatic reply:\nI am away.").automatic
    assert (read_body(f"{NEW}\n> Old\n> Older").quoted, read_body(f"{NEW}\nMore.").quoted) == (True, False)
    assert read_body("> Old\n> Older").parts.joined("> Old\n> Older") == "> Old\n> Older"
