import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference import ratings
from triage.inference.ratings import rating_in, with_rating

NEUTRAL = {"negative": 0.05, "neutral": 0.9, "positive": 0.05}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("★★☆☆☆ late", 0.4),
        ("⭐⭐⭐⭐⭐", 1.0),
        ("2/5. Never came", 0.4),
        ("Broken. 3/10", 0.3),
        ("9 out of 10 would recommend", 0.9),
        ("I gave it one star", 0.2),
        ("zero stars if that were possible", 0.0),
        ("Rating: 2 of 5", 0.4),
        ("给了两星", 0.4),
        ("打8分", 0.8),
        ("給一顆星都嫌多", 0.2),
        ("满分！", 1.0),
        ("评分：4", 0.8),
        ("給你們2分", 0.4),
    ],
)
def test_ratings_in_words_and_stars(text, share):
    assert rating_in(text) == pytest.approx(share)


@pytest.mark.parametrize(
    "text",
    [
        "Page 2/5 is blank",
        "1 out of 5 cups arrived broken",
        "the 5-star hotel lost it",
        "三星手机坏了",
        "四星级酒店",
        "等了一星期",
        "十分钟就到了",
        "delivered on 4/10",
        "my order 3/5 is missing",
        "Star Wars figure",
        "1/5, no wait, 5/5",
        "不给满分",
        "",
    ],
)
def test_what_only_looks_like_a_rating(text):
    assert rating_in(text) is None


def best(sentiment):
    return max(sentiment, key=sentiment.__getitem__)


def test_a_rating_decides_where_the_text_is_neutral():
    assert best(with_rating(NEUTRAL, "1 out of 5", None, 5)) == "negative"
    assert best(with_rating(NEUTRAL, "5 out of 5", None, 5)) == "positive"
    assert best(with_rating(NEUTRAL, "arrived on Monday", 1, 5)) == "negative"
    assert best(with_rating(NEUTRAL, "arrived on Monday", 5, 5)) == "positive"
    assert with_rating(NEUTRAL, "arrived on Monday", 3, 5) == NEUTRAL


def test_the_field_does_not_outvote_a_plain_text():
    negative = {"negative": 0.985, "neutral": 0.01, "positive": 0.005}
    assert best(with_rating(negative, "broken, late, rude", 5, 5)) == "negative"


def test_probabilities_sum_to_one():
    assert sum(with_rating(NEUTRAL, "2 stars", 1, 5).values()) == pytest.approx(1)


@pytest.mark.parametrize(("rating", "scale"), [(80, 5), (-1, 5), (1, 0), (None, 5), (float("nan"), 5)])
def test_ratings_that_say_nothing(rating, scale):
    assert with_rating(NEUTRAL, "arrived", rating, scale) == NEUTRAL


PIECES = [
    "★", "☆", "⭐️", "5", "10", "/", " of ", " OUT OF ", "Rating", "ſcore", "I give it ", "rated ", ":", " ", ". ",
    "three", "no", "-", " ſtars", " Star", "给", "三", "颗", "星", "2", "分", "满分", "，", "评分", "not", "²", "İ",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_only_searches_that_cannot_succeed_are_left_out(text):
    found = ratings._ratings(text)
    every = ratings._SIGNS.find("★ 5 star星满分") | ratings._SIGNS_WITH_DIGITS.find("/5rate分")
    assert len(every) == 7
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratings, "_signs_in", lambda _: every)
        assert sorted(ratings._ratings(text)) == sorted(found)
