"""Over-representation: exact, and no claims where there is only chance."""

import math
import random

import pytest

from triage.alerting.evidence.significance import Sample, log_tail, over_represented
from triage.alerting.evidence.terms import candidates, joined, words
from triage.schemas.alert import Share


def exact_tail(count, total, before, before_total):
    having, everything = count + before, total + before_total
    ways = math.comb(everything, total)
    return (
        sum(
            math.comb(having, k) * math.comb(everything - having, total - k)
            for k in range(count, min(total, having) + 1)
        )
        / ways
    )


@pytest.mark.parametrize(
    ("count", "total", "before", "before_total"),
    [(3, 10, 1, 50), (10, 10, 0, 60), (5, 40, 100, 1000), (30, 48, 200, 2000), (4, 4, 0, 4), (7, 20, 13, 30)],
)
def test_the_tail_is_fishers(count, total, before, before_total):
    expected = exact_tail(count, total, before, before_total)
    if count > total * (count + before) / (total + before_total):
        assert math.exp(log_tail(count, total, before, before_total)) == pytest.approx(expected, rel=1e-9)
    else:
        assert log_tail(count, total, before, before_total) == 0.0


def test_what_a_large_window_makes_of_it_is_still_a_number():
    assert log_tail(90_000, 100_000, 10, 1_000_000) < -10_000


def test_the_surprising_comes_first_and_the_merely_frequent_not_at_all():
    window = Sample(48, {"parcel": 30, "order": 40, "flood": 9, "blue": 1})
    baseline = Sample(2_000, {"parcel": 200, "order": 1_650, "flood": 0, "blue": 3})
    assert over_represented(window, baseline) == [Share("parcel", 30, 4.8), Share("flood", 9, 0.0)]


def test_without_a_baseline_nothing_is_claimed():
    assert over_represented(Sample(48, {"parcel": 30}), Sample(49, {})) == []
    assert over_represented(Sample(0, {}), Sample(1_000, {})) == []


def test_a_tenth_more_is_no_news_however_significant():
    assert over_represented(Sample(100_000, {"late": 22_000}), Sample(100_000, {"late": 20_000})) == []


def test_chance_alone_makes_hardly_any_claim():
    rng = random.Random(11)
    shares = [rng.choice([0.01, 0.05, 0.2]) for _ in range(60)]

    def draw(total):
        return Sample(total, {str(i): sum(rng.random() < p for _ in range(total)) for i, p in enumerate(shares)})

    claims = sum(bool(over_represented(draw(50), draw(200))) for _ in range(60))
    assert claims <= 2, "at most one window in a hundred should have a false claim"


def test_more_candidates_need_more_evidence():
    window, baseline = Sample(48, {"flood": 4}), Sample(2_000, {"flood": 10})
    assert over_represented(window, baseline) == [Share("flood", 4, 0.24)]
    assert over_represented(window, baseline, tested=400) == []


def test_words_are_lower_case_without_placeholders_and_fillers():
    assert words("The Parcel [ORDER_ID] wasn't delivered, 3 days late!") == {
        "parcel",
        "wasn't",
        "delivered",
        "days",
        "late",
    }


def test_chinese_gives_pairs():
    assert words("快递没到") == {"快递", "递没", "没到"}


def test_candidates_are_counted_once_a_text():
    texts = ["parcel parcel lost", "parcel late", "parcel lost", "lost", "refund"]
    assert candidates(texts, 1) == (["lost"], 2)
    assert candidates(texts, 9) == (["lost", "parcel"], 2)


def test_pairs_of_one_word_are_one_again():
    pairs = [Share("水停", 10, 0.0), Share("late", 9, 1.0), Share("洪水", 10, 0.0), Share("快递", 40, 9.0)]
    assert [(share.value, share.count) for share in joined(pairs)] == [("洪水停", 10), ("late", 9), ("快递", 40)]
