"""Short answers to the bot's questions: their tone is no reason for a hand-off, danger and wishes are."""

import pytest

from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.guard import Guard

GUARD = Guard()
SOUR = {"severity": "high", "sentiment": "negative", "sentiment_score": -0.95}


@pytest.mark.parametrize(
    ("facts", "alone", "as_answer"),
    [
        (TurnFacts(text="not yet", **SOUR), "severe", None),
        (TurnFacts(text="both are pending", risks=frozenset({"fraud"})), "fraud", None),
        (TurnFacts(text="both are gone, I was scammed", risks=frozenset({"fraud"})), "fraud", "fraud"),
        (TurnFacts(text="broken, it cut us", risks=frozenset({"danger"})), "safety", "safety"),
        (TurnFacts(text="no, give me somebody who can decide", **SOUR), "asked_for_person", "asked_for_person"),
    ],
)
def test_reasons_for_a_person(facts: TurnFacts, alone: str, as_answer: str | None) -> None:
    assert GUARD.reason(facts) == alone
    assert GUARD.reason(facts, answers=True) == as_answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("all good, only a man on the phone talked me into giving him my PIN", "fraud"),
        ("somebody rang and claimed he was calling from your shop, then wanted my card details", "fraud"),
        ("有人入咗我户口，俾人盗用", "fraud"),
        ("two charges on my account that no one in the family ever made", "fraud"),
        ("the lid fell and bruised my son's left hand, can I swap it", "safety"),
        ("我嘅帳戶畀人登入過", "fraud"),
        ("my attorney will be in touch", "legal"),
        ("a solicitor friend of mine loves this chair, is it in stock", None),
        ("我律师朋友推荐的台灯，还有货吗", None),
        ("the app asked me to enter a code and it never came", None),
    ],
)
def test_danger_in_passing(text: str, reason: str | None) -> None:
    assert GUARD.reason(TurnFacts(text=text)) == reason


def test_falling_tone_counts_unless_the_turn_answers_a_question() -> None:
    facts = TurnFacts(text="too small", sentiment_score=-0.9)
    assert GUARD.reason(facts, [-0.7]) == "negative_and_falling"
    assert GUARD.reason(facts, [-0.7], answers=True) is None
