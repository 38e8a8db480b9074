import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.training.data.near_duplicates import THRESHOLD, near_duplicates, signatures, similarity

WORDS = (
    "parcel",
    "refund",
    "card",
    "late",
    "never",
    "order",
    "driver",
    "fee",
    "charge",
    "screen",
    "broken",
    "box",
    "shop",
    "agent",
    "app",
    "login",
    "friday",
)


def sentences(count, seed, words=12):
    rng = random.Random(seed)
    return ["".join(rng.choices(WORDS, k=words)) for _ in range(count)]


def test_finds_what_comparing_all_pairs_finds():
    left = sentences(150, 1)
    right = [*sentences(60, 2), *(text[:-3] for text in left[:40]), *(text[6:] for text in left[40:60]), left[70]]
    expected = {
        (i, j): similarity(one, other)
        for i, one in enumerate(left)
        for j, other in enumerate(right)
        if similarity(one, other) >= THRESHOLD
    }
    assert len(expected) >= 41
    assert {(i, j): s for i, j, s in near_duplicates(left, right)} == pytest.approx(expected)


def test_chinese_is_compared_by_pairs_of_characters():
    text = "昨天下单的耳机到现在还没有发货问客服也一直不回复到底什么时候能发"
    changed = text.replace("昨天", "前天")
    other = "这家店的耳机音质不错包装也很用心下次还会再来买给朋友也推荐了"
    assert similarity(text, changed) >= THRESHOLD
    ((i, j, found),) = near_duplicates([other, text], [changed])
    assert (i, j) == (1, 0)
    assert found == pytest.approx(similarity(text, changed))


@pytest.mark.parametrize(("left", "right"), [([], ["abcd"]), (["abcd"], []), (["abc"], ["abc"]), (["我"], ["我"])])
def test_nothing_and_too_little_has_no_pair(left, right):
    assert list(near_duplicates(left, right)) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("abc我\U0001f600", min_size=4, max_size=30), min_size=1, max_size=8))
def test_a_text_is_its_own_duplicate(texts):
    pairs = {(i, j) for i, j, _ in near_duplicates(texts, texts)}
    assert {(index, index) for index in range(len(texts))} <= pairs


def test_the_share_of_equal_minima_estimates_the_similarity():
    one, other = sentences(1, 3, words=60)[0], sentences(1, 4, words=60)[0]
    mixed = one[: len(one) // 2] + other[len(other) // 2 :]
    first, second = signatures([one, mixed], 4)
    assert (first == second).mean() == pytest.approx(similarity(one, mixed), abs=0.25)


def test_many_texts_take_seconds():
    # Of this process: others on the machine are no matter.
    started = time.process_time()
    found = list(near_duplicates(sentences(20_000, 5), sentences(4_000, 6)))
    assert time.process_time() - started < 30
    assert len(found) < 200
