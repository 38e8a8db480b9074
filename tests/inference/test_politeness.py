"""Polite demands: which texts count as evidence of a negative sentiment, and how much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference import politeness
from triage.inference.politeness import with_demand

NEUTRAL = {"negative": 0.06, "neutral": 0.9, "positive": 0.04}


def _label(sentiment):
    return max(sentiment, key=sentiment.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "Could you please finally send the invoice?",
        "Kindly stop texting my old number",
        "I'd be grateful if somebody answered my previous two mails",
        "Would it be possible to receive the desk I paid for two months ago?",
        "Please do not let me ask a fourth time",
        "麻烦看一下，已经等了三周了",
        "请不要再打电话给我",
        "恳请贵司给个说法，至今没有结果",
        "麻煩看一下，已經等了三週了",
        "請不要再打電話給我",
    ],
)
def test_a_demand_that_is_overdue_makes_a_neutral_text_negative(text):
    assert _label(with_demand(NEUTRAL, text)) == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Could you please send me the price list?",
        "Would you kindly wrap it as a gift",
        "Please deliver it on Friday, I am at home then",
        "Finally found the right size",  # no demand
        "The second time I ordered here",
        "Excuse me, is the course still open for booking?",
        "请问周末送货吗",
        "麻烦送到楼下，谢谢",
        "請問可以改週四送貨嗎",
        "等了三天终于到了",  # no polite form
        "",
    ],
)
def test_other_texts_stay(text):
    assert with_demand(NEUTRAL, text) == NEUTRAL


def test_a_fault_alone_is_weaker_evidence_than_an_overdue_demand():
    fault = with_demand(NEUTRAL, "Could you please check, the lamp is broken")
    overdue = with_demand(NEUTRAL, "Could you please check, the lamp is still broken")
    assert NEUTRAL["negative"] < fault["negative"] < overdue["negative"]
    assert _label(fault) == "neutral"


def test_a_negative_text_needs_no_evidence():
    angry = {"negative": 0.6, "neutral": 0.3, "positive": 0.1}
    assert with_demand(angry, "Could you please finally send the invoice?") == angry


def test_a_clear_sentiment_stays_and_the_sum_is_1():
    happy = with_demand(
        {"negative": 0.02, "neutral": 0.03, "positive": 0.95}, "Thank you, finally. Please go on like this!"
    )
    assert _label(happy) == "positive"
    assert sum(happy.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "text", ["Thank you for losing my suitcase", "Thanks for nothing", "感谢你们，浪费我一天", "謝謝你們讓我白跑一趟"]
)
def test_thanks_for_a_failure_are_no_praise(text):
    assert _label(with_demand({"negative": 0.1, "neutral": 0.3, "positive": 0.6}, text)) == "negative"


_PIECES = [
    "could you ", "Could  You", "pleaſe", "please ", "i'd like", "I may", "thanks for ", "THANKS FOR ",
    "ignoring", "can ",    "finally ", "still waiting ", "请", "請", "麻烦", "谢谢", "白等", "至今", "three weeks ago ",
    "will someone", "İ", ". ",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=6).map("".join))
def test_only_searches_that_cannot_succeed_are_left_out(text):
    found = politeness._shifts(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(politeness._SIGNS, "find", lambda _: frozenset({"mocking", "form"}))
        assert politeness._shifts(text) == found
