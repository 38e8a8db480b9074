import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference.spans import TaggedToken, merge_tokens, same_word, strip_span


def tag(text, *tagged):
    """Tokens by (piece, tag); pieces are found from left to right, O takes up a rank."""
    tokens, position = [], 0
    for rank, (piece, name) in enumerate(tagged):
        start = text.index(piece, position)
        position = start + len(piece)
        if name != "O":
            kind, _, label = name.partition("-")
            tokens.append(TaggedToken(rank, start, position, kind == "B", label, 0.9))
    return tokens


def found(text, *tagged):
    return [(text[span.start : span.end], span.label) for span in merge_tokens(text, tag(text, *tagged))]


@pytest.mark.parametrize(
    ("text", "tagged", "expected"),
    [
        ("from New York now", [(" New", "B-location"), (" York", "I-location")], [("New York", "location")]),
        ("Bob Ann", [("Bob", "B-person"), (" Ann", "B-person")], [("Bob", "person"), ("Ann", "person")]),
        # I- after O, and I- of another label, begin an entity.
        ("at Bob", [("at", "O"), (" Bob", "I-person")], [("Bob", "person")]),
        ("Bob Paris", [("Bob", "B-person"), (" Paris", "I-location")], [("Bob", "person"), ("Paris", "location")]),
        (
            "Bob and Ann",
            [("Bob", "B-person"), (" and", "O"), (" Ann", "I-person")],
            [("Bob", "person"), ("Ann", "person")],
        ),
        # A word is one entity whole, whatever its later pieces say.
        ("Johnson here", [("Jo", "B-person"), ("hn", "O"), ("son", "I-location")], [("Johnson", "person")]),
        ("Amazon's app", [("Am", "B-organization"), ("azon", "B-organization")], [("Amazon", "organization")]),
        ("the iPhone13 broke", [("13", "I-product")], [("iPhone13", "product")]),
        ("visit Zu\u0308rich", [("Zu", "B-location")], [("Zu\u0308rich", "location")]),
        # Chinese has no word borders to grow to.
        (
            "张三在北京",
            [("张", "B-person"), ("三", "I-person"), ("在", "O"), ("北京", "B-location")],
            [("张三", "person"), ("北京", "location")],
        ),
        ("华为Mate手机", [("Mate", "B-product")], [("Mate", "product")]),
        ("!! ok", [("!!", "B-product")], []),
    ],
)
def test_merging(text, tagged, expected):
    assert found(text, *tagged) == expected


def test_blanks_at_the_ends_are_trimmed():
    (span,) = merge_tokens("  New York ", [TaggedToken(0, 0, 11, True, "location", 0.5)])
    assert (span.start, span.end, span.source) == (2, 10, "model")


def test_confidence_is_the_mean_of_the_tokens():
    tokens = [TaggedToken(0, 0, 1, True, "person", 0.5), TaggedToken(1, 1, 2, False, "person", 1.0)]
    assert merge_tokens("张三", tokens)[0].confidence == pytest.approx(0.75)


def test_a_token_beyond_the_text_is_cut():
    beyond = TaggedToken(1, 12, 14, True, "person", 0.5)
    cut = merge_tokens("张", [TaggedToken(0, 0, 9, True, "person", 0.5), beyond])
    assert cut == merge_tokens("张", [TaggedToken(0, 0, 1, True, "person", 0.5)])


@given(
    st.text("ab 张三é.\u0308", max_size=30),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans(), st.sampled_from("pq"), st.booleans())),
)
def test_spans_are_in_order_apart_trimmed_and_inside_the_text(text, steps):
    tokens, position = [], 0
    for rank, (gap, length, begins, label, fires) in enumerate(steps):
        start, position = position + gap, position + gap + length
        if fires:
            tokens.append(TaggedToken(rank, start, position, begins, label, 0.7))
    end = 0
    for span in merge_tokens(text, tokens):
        assert end <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        assert span.confidence == pytest.approx(0.7)
        end = span.end


def token(rank, start, end, *, begins=True, label="person", probability=0.9):
    return TaggedToken(rank, start, end, begins, label, probability)


def places(text, *tokens):
    return [(span.start, span.end) for span in merge_tokens(text, tokens)]


@pytest.mark.parametrize(
    ("text", "start", "end", "stripped"),
    [
        (" ab ", 0, 4, (1, 3)),
        ("ab", 0, 2, (0, 2)),
        ("a  b", 1, 3, (3, 3)),
        ("ab", 0, 9, (0, 2)),
        ("ab", 5, 9, (2, 2)),
        ("  ", 0, 2, (2, 2)),
        ("", 0, 0, (0, 0)),
    ],
)
def test_spans_lose_blanks_at_their_ends(text, start, end, stripped):
    assert strip_span(text, start, end) == stripped


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("a", "b", True),
        ("a", " ", False),
        ("-", "a", False),
        ("e", "\u0301", True),
        ("ж", "9", True),
        ("ế", "n", True),  # U+1EBF
        ("\u1e00", "a", True),
        ("\u1dff", "a", False),
        ("\u2000", "a", False),
        ("\u08ff", "a", True),
        ("ऀ", "a", False),  # U+0900
        ("三", "a", False),
    ],
)
def test_words_are_runs_of_letters_digits_and_marks_of_scripts_with_spaces(left, right, same):
    assert (same_word(left, right), same_word(right, left)) == (same, same)


def test_a_word_at_either_end_of_the_text_is_whole():
    assert places("Johnson", token(0, 2, 3)) == [(0, 7)]
    assert places("a Johnson b", token(0, 4, 5)) == [(2, 9)]


def test_a_later_piece_of_a_word_joins_and_a_token_that_touches_its_end_does_not():
    assert places("Johnson-Smith", token(0, 0, 2), token(5, 5, 7), token(6, 8, 13)) == [(0, 7), (8, 13)]
    assert places("三四五", token(0, 0, 1), token(1, 1, 2), token(2, 2, 3, begins=False)) == [(0, 1), (1, 3)]


def test_a_gap_in_the_ranks_ends_an_entity():
    assert places("a b c", token(0, 0, 1), token(1, 2, 3, begins=False), token(3, 4, 5, begins=False)) == [
        (0, 3),
        (4, 5),
    ]


def test_confidence_is_a_mean_over_all_tokens():
    (span,) = merge_tokens("a b", [token(0, 0, 1, probability=0.5), token(1, 2, 3, begins=False, probability=0.9)])
    assert span.confidence == pytest.approx(0.7)


def test_punctuation_alone_is_no_entity():
    assert places("a - b", token(0, 2, 3), token(1, 4, 5)) == [(4, 5)]
