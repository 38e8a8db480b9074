"""Remembered decisions are those that the rules make of each record by itself."""

import random

import pytest

from triage.rules import remembered
from triage.rules.engine import RuleSet
from triage.rules.facts import Facts
from triage.rules.loader import load_rules
from triage.rules.model import RulesFile

PARTS = [
    "It never caught fire.", "It caught fire!", "Unsubscribe", "please unsubscribe me", "unauthorized charge",
    "The film", "my lawyer", "要自杀", "报警了", "ＦＩＲＥ", "refund now", "The parcel is late", "I love it", "退订",
    "poster of 《自杀》",
]  # fmt: skip
INTENTS = ["billing", "delivery", "praise", "fraud_security", "other", "account_access"]
OWN = {
    "version": 1,
    "severity": [
        {"name": "shouting", "when": {"text_regex": "^[A-Z !]+$"}, "raise": 1},
        {"name": "sure", "when": {"intent_confidence_at_least": 0.5, "sentiment_below": -0.25}, "set": "high"},
        {
            "name": "loved",
            "when": {"brand": ["Acme"], "not": {"any": [{"rating_at_most": 2}, {"language": "ZH"}]}},
            "set": "low",
        },
        {"name": "order", "when": {"text_regex": "order [0-9]+", "entities": ["order_id"]}, "set": "medium"},
    ],
    "routing": [{"name": "late", "when": {"text_any": ["late", "迟到"]}, "queue": "late"}],
    "default": {"severity": "low", "queue": "inbox"},
}  # fmt: skip


def facts(chance):
    return Facts(
        text=" ".join(chance.choices([*PARTS, "ORDER 12 LATE", "order 12"], k=chance.randint(1, 3))),
        channel=chance.choice(["complaint", "review"]),
        intent=chance.choice(INTENTS),
        intent_confidence=chance.choice([0.2, 0.5, 0.6, 0.9]),
        sentiment=chance.choice(["negative", "neutral", "positive"]),
        sentiment_score=chance.choice([-0.9, -0.25, 0.0, 0.8]),
        language=chance.choice(["en", "zh"]),
        flags=chance.choice([[], ["low_confidence"], frozenset({"redacted", "truncated"})]),
        entities=chance.choice([(), ["order_id"]]),
        risks=chance.choice([(), (), ["danger"], ["churn_threat", "fraud"]]),
        brand=chance.choice([None, "ACME", "Other"]),
        rating=chance.choice([None, 1.0, 2.0, 5.0]),
    )


@pytest.mark.parametrize("own", [False, True], ids=["shipped rules", "own rules"])
def test_decisions_do_not_depend_on_earlier_records(own, monkeypatch):
    rules = RuleSet(RulesFile.model_validate(OWN), "1") if own else load_rules(None)
    cases = [facts(random.Random(number)) for number in range(1_500)]
    found = [rules.decide(each) for each in cases]
    assert len({str(each) for each in found}) > 8
    assert 0 < len(rules._remembered._remembered) < len(cases)
    monkeypatch.setattr(remembered.RememberedDecisions, "get", lambda _, case, decide: decide(case))
    assert found == [rules.decide(each) for each in cases]


def test_facts_that_no_rule_reads_are_not_part_of_the_key():
    rules = RuleSet(RulesFile.model_validate(OWN), "1")
    for number in range(50):
        rules.decide(Facts(text=f"number {number}", intent=f"intent {number}", rating=3 + number, product=str(number)))
    assert len(rules._remembered._remembered) == 1


def test_the_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(remembered, "_MAX_REMEMBERED", 10)
    rules = RuleSet(RulesFile.model_validate(OWN), "1")
    for number in range(95):
        assert rules.decide(Facts(text="LATE", brand=f"brand {number}")).route.queue == "late"
        assert len(rules._remembered._remembered) <= 10


def test_a_record_can_change_its_own_lists():
    rules = RuleSet(RulesFile.model_validate(OWN), "1")
    for _ in range(2):
        severity, route = rules.decide(Facts(text="LATE"))
        assert (severity.rules, route.rules) == (["shouting"], ["late"])
        severity.rules.append("changed")
        route.rules.clear()
