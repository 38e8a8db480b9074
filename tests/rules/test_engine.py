"""The decision of severity and route by rules."""

from pathlib import Path

import pytest
from checkout import ROOT

from triage.rules import Decision, Facts, RuleSet, load_rules

HEAD = 'version: "1"\ndefault: {severity: low, queue: general}\n'


@pytest.fixture
def rules(tmp_path: Path):
    def load(text: str) -> RuleSet:
        path = tmp_path / "rules.yaml"
        path.write_text(HEAD + text, "utf-8")
        return load_rules(path)

    return load


def severity(decision: Decision) -> tuple[str, list[str]]:
    return decision.severity.level, decision.severity.rules


def test_highest_set_wins_raises_add_and_every_rule_that_fired_is_named(rules) -> None:
    loaded = rules("""
severity:
  - {name: high, when: {text_any: bad}, set: high}
  - {name: medium, when: {text_any: bad}, set: medium}
  - {name: up, when: {text_any: again}, raise: 1}
  - {name: down, when: {text_any: calm}, raise: -2}
""")
    assert severity(loaded.decide(Facts(text="bad"))) == ("high", ["high", "medium"])
    assert severity(loaded.decide(Facts(text="bad again"))) == ("critical", ["high", "medium", "up"])
    assert severity(loaded.decide(Facts(text="again"))) == ("medium", ["up"])
    assert severity(loaded.decide(Facts(text="bad calm"))) == ("low", ["high", "medium", "down"])
    assert severity(loaded.decide(Facts(text="bad bad again again AGAIN"))) == ("critical", ["high", "medium", "up"])
    assert severity(loaded.decide(Facts(text="calm"))) == ("low", ["down"])
    assert severity(loaded.decide(Facts(text="fine"))) == ("low", ["default"])


def test_stop_ends_the_list(rules) -> None:
    loaded = rules("""
severity:
  - {name: test_order, when: {text_any: test order}, set: low, stop: true}
  - {name: always, set: high}
""")
    assert severity(loaded.decide(Facts(text="a test order"))) == ("low", ["test_order"])
    assert severity(loaded.decide(Facts(text="an order"))) == ("high", ["always"])


def test_first_route_wins(rules) -> None:
    loaded = rules("""
routing:
  - {name: a, queue: first, when: {intent: billing}}
  - {name: b, queue: second, when: {channel: complaint}}
""")
    route = loaded.decide(Facts(text="", intent="billing", channel="complaint")).route
    assert (route.queue, route.rules) == ("first", ["a"])
    assert loaded.decide(Facts(text="", channel="complaint")).route.queue == "second"
    route = loaded.decide(Facts(text="", channel="review")).route
    assert (route.queue, route.rules) == ("general", ["default"])
    assert loaded.queues == ["first", "general", "second"]


CONDITIONS = [
    ("{channel: [review, social]}", {"channel": "social"}, {"channel": "complaint"}),
    ("{sentiment: negative}", {"sentiment": "negative"}, {"sentiment": "neutral"}),
    ("{language: zh}", {"language": "zh"}, {"language": "en"}),
    ("{brand: ACME}", {"brand": "Acme"}, {"brand": None}),
    ("{product: [kettle]}", {"product": "Kettle"}, {"product": "kettle 2"}),
    ("{region: eu}", {"region": "EU"}, {"region": "US"}),
    ("{source: 12306}", {"source": "12306"}, {"source": "app"}),
    ("{flags: low_confidence}", {"flags": ["truncated", "low_confidence"]}, {"flags": []}),
    ("{entities: [order_id, card]}", {"entities": {"order_id"}}, {"entities": {"date"}}),
    ("{risks: [danger, fraud]}", {"risks": {"fraud"}}, {"risks": {"churn_threat"}}),
    ("{sentiment_below: -0.5}", {"sentiment_score": -0.51}, {"sentiment_score": -0.5}),
    ("{sentiment_above: 0.5}", {"sentiment_score": 0.51}, {"sentiment_score": 0.5}),
    ("{risk_score_at_least: {churn: 0.4}}", {"risk_scores": {"churn": 0.4}}, {"risk_scores": {"churn": 0.39}}),
    ("{intent_confidence_at_least: 0.6}", {"intent_confidence": 0.6}, {"intent_confidence": 0.59}),
    ("{intent_confidence_below: 0.6}", {"intent_confidence": 0.59}, {"intent_confidence": 0.6}),
    ("{rating_at_most: 2}", {"rating": 2.0}, {"rating": None}),
    ("{rating_at_least: 4}", {"rating": 4.5}, {"rating": 3.0}),
    ("{brand: a, region: b}", {"brand": "a", "region": "b"}, {"brand": "a"}),
    ("{any: [{brand: a}, {region: b}]}", {"region": "b"}, {"region": "c"}),
    ("{all: [{brand: a}, {region: b}]}", {"brand": "a", "region": "b"}, {"brand": "a"}),
    ("{not: {brand: a}}", {"brand": "b"}, {"brand": "a"}),
    ("{not: {any: [{brand: a}, {brand: b}]}, region: x}", {"brand": "c", "region": "x"}, {"brand": "b", "region": "x"}),
]


@pytest.mark.parametrize(("when", "holds", "fails"), CONDITIONS)
def test_conditions(rules, when: str, holds: dict, fails: dict) -> None:
    loaded = rules(f"routing:\n  - {{name: a, queue: hit, when: {when}}}")
    assert loaded.decide(Facts(text="x", **holds)).route.queue == "hit"
    assert loaded.decide(Facts(text="x", **fails)).route.queue == "general"


TEXTS = [
    ("sue", "I will SUE you!", "an issue with Sue2 and pursue"),
    ("legal action", "take Legal-Action now", "legal reaction"),
    ("don't pay", "I don’t pay", "I do not pay"),
    ("explode*", "it Exploded twice", "unexploded"),
    ("12315", "打12315投诉", "order 123150"),
    ("１２３１５", "call 12315", "1231"),
    ("起火", "充电时起火了", "火起"),
    ("投诉到", "我要投诉到底", "投诉"),
    ("iphone起火", "我的iPhone起火了", "iPhone没起火"),
    ("ＳＵＥ", "sue", "s u e"),
    ("naïve", "so NAÏVE", "naive"),
    ("straße", "STRASSE", "strase"),
    ("안녕", "안녕하세요", "안 녕"),
]


@pytest.mark.parametrize(("phrase", "holds", "fails"), TEXTS)
def test_phrases(rules, phrase: str, holds: str, fails: str) -> None:
    loaded = rules(f'routing:\n  - {{name: a, queue: hit, when: {{text_any: ["{phrase}", "unrelated words"]}}}}')
    assert loaded.decide(Facts(text=holds)).route.queue == "hit"
    assert loaded.decide(Facts(text=fails)).route.queue == "general"


def test_regexes_ignore_case_and_read_only_the_beginning(rules) -> None:
    loaded = rules("routing:\n  - {name: a, queue: hit, when: {text_regex: ['refund [0-9]+ ?x', '第[三3]次']}}")
    assert loaded.decide(Facts(text="REFUND 3 X")).route.queue == "hit"
    assert loaded.decide(Facts(text="这是第3次了")).route.queue == "hit"
    assert loaded.decide(Facts(text="第四次")).route.queue == "general"
    assert loaded.decide(Facts(text=" " * 5_000 + "refund 3x")).route.queue == "general"


def test_the_worked_example_of_the_docs_is_true(tmp_path: Path) -> None:
    docs = (ROOT / "docs" / "rules.md").read_text("utf-8")
    path = tmp_path / "rules.yaml"
    path.write_text(docs.split("```yaml\n")[1].split("```")[0], "utf-8")
    loaded = load_rules(path)
    text = "Third time I write: order 88123 never came. Next mail is from my lawyer."
    facts = Facts(
        text=text, channel="complaint", intent="delivery", sentiment="negative", entities=["order_id"], brand="Acme"
    )
    decision = loaded.decide(facts)
    assert severity(decision) == ("critical", ["late_parcel", "legal_threat", "written_before"])
    assert (decision.route.queue, decision.route.rules) == ("logistics-acme", ["acme_parcels"])


def test_levels_stop_at_both_ends_and_start_from_the_default(rules) -> None:
    loaded = rules("""
severity:
  - {name: up, when: {text_any: up}, raise: 3}
  - {name: one, when: {text_any: one}, raise: 1}
  - {name: down, when: {text_any: down}, raise: -3}
  - {name: high, when: {text_any: high}, set: high}
  - {name: medium, when: {text_any: medium}, set: medium}
""")
    expected = {
        "": ("low", ["default"]),
        "one": ("medium", ["one"]),
        "up one": ("critical", ["up", "one"]),
        "down": ("low", ["down"]),
        "high down": ("low", ["down", "high"]),
        "high one": ("critical", ["one", "high"]),
        "medium high": ("high", ["high", "medium"]),
        "medium one": ("high", ["one", "medium"]),
    }
    assert {text: severity(loaded.decide(Facts(text=text))) for text in expected} == expected


@pytest.mark.parametrize(
    ("when", "field", "holds", "fails"),
    [
        ("sentiment_below: -0.5", "sentiment_score", -0.51, -0.5),
        ("sentiment_above: 0.5", "sentiment_score", 0.51, 0.5),
        ("intent_confidence_at_least: 0.5", "intent_confidence", 0.5, 0.49),
        ("intent_confidence_below: 0.5", "intent_confidence", 0.49, 0.5),
        ("rating_at_most: 2", "rating", 2.0, 2.1),
        ("rating_at_least: 2", "rating", 2.0, 1.9),
        ("rating_at_most: 2", "rating", 0.0, None),
        ("rating_at_least: 2", "rating", 9.0, None),
    ],
)
def test_thresholds_at_their_limits(rules, when: str, field: str, holds: float, fails: float | None) -> None:
    loaded = rules(f"routing:\n  - {{name: r, queue: q, when: {{{when}}}}}")
    assert [loaded.decide(Facts(text="", **{field: value})).route.queue for value in (holds, fails)] == ["q", "general"]


@pytest.mark.parametrize(
    ("given", "queue"),
    [
        ({"brand": "acme", "region": "EU", "rating": 1.0}, "q"),
        ({"brand": "acme", "region": "EU"}, "general"),
        ({"brand": "acme", "rating": 1.0}, "general"),
        ({"region": "eu", "rating": 1.0}, "general"),
    ],
)
def test_three_conditions_must_all_hold(rules, given: dict, queue: str) -> None:
    loaded = rules("routing:\n  - {name: r, queue: q, when: {brand: Acme, region: eu, rating_at_most: 1}}")
    assert loaded.decide(Facts(text="", **given)).route.queue == queue


def test_only_the_first_twenty_thousand_characters_are_searched(rules) -> None:
    loaded = rules("routing:\n  - {name: r, queue: q, when: {text_any: sue}}")
    assert loaded.decide(Facts(text=" " * 19_997 + "sue")).route.queue == "q"
    assert loaded.decide(Facts(text=" " * 19_998 + "sue")).route.queue == "general"


def test_a_regex_matches_both_chinese_scripts(rules) -> None:
    for pattern in ("[电電]梯.{0,3}坠", "電梯.{0,3}墜"):
        loaded = rules(f"routing:\n  - {{name: r, queue: q, when: {{text_regex: '{pattern}'}}}}")
        for text in ("电梯突然坠", "電梯突然墜"):
            assert loaded.decide(Facts(text=text)).route.queue == "q"


def test_a_regex_reads_the_first_five_thousand_characters(rules) -> None:
    loaded = rules("routing:\n  - {name: r, queue: q, when: {text_regex: 'su[ei]'}}")
    assert [loaded.decide(Facts(text=" " * blanks + "SUE")).route.queue for blanks in (4_997, 4_998)] == [
        "q",
        "general",
    ]
