"""Every condition that a rule can name is compiled, explained and documented: one that is ignored would always hold."""

import json

import pytest
from checkout import ROOT
from records import enriched

from triage.rules import load_rules
from triage.rules.evidence import explain_rules
from triage.rules.facts import facts_of
from triage.rules.model import When
from triage.schemas.enriched import Entity, Risk, RiskScore

GROUPS = {"any_of", "all_of", "not_"}
FIELDS = sorted(When.model_fields.keys() - GROUPS)
# A value that the record below meets, and one that it does not.
VALUES = {
    "channel": ("complaint", "review"),
    "intent": ("delivery", "billing"),
    "sentiment": ("negative", "positive"),
    "language": ("en", "zh"),
    "brand": ("Acme", "Other"),
    "product": ("Kettle", "Other"),
    "region": ("North", "South"),
    "source": ("desk", "shop"),
    "flags": ("redacted", "truncated"),
    "entities": ("money", "card"),
    "risks": ("fraud", "danger"),
    "risk_score_at_least": ({"churn": 0.4}, {"churn": 0.6}),
    "text_any": ("parcel", "lamp"),
    "text_says": ("parcel", "lamp"),
    "text_regex": ("par.el", "lam."),
    "sentiment_below": (0.0, -0.95),
    "sentiment_above": (-0.95, 0.0),
    "intent_confidence_at_least": (0.5, 0.9),
    "intent_confidence_below": (0.9, 0.5),
    "rating_at_most": (2, 0),
    "rating_at_least": (1, 3),
}
RECORD = enriched(
    brand="Acme",
    product="Kettle",
    region="North",
    source="desk",
    rating=1.5,
    risks=[Risk("fraud", 0.9)],
    risk_scores=[RiskScore("churn", 0.5, "high", "churn:high", "v")],
    flags=["redacted"],
    entities=[Entity("$5", "money", 0, 2, 1.0, "rule")],
)


@pytest.fixture
def rules(tmp_path):
    def load(condition, value):
        path = tmp_path / "rules.yaml"
        when = json.dumps({condition: value})
        path.write_text(
            "version: '1'\ndefault: {severity: low, queue: general}\n"
            f"severity:\n  - {{name: asked, when: {when}, set: high}}\n",
            "utf-8",
        )
        return load_rules(path)

    return load


@pytest.mark.parametrize("condition", FIELDS)
def test_every_condition_decides_and_says_why(rules, condition):
    met, unmet = VALUES[condition]
    loaded = rules(condition, met)
    RECORD.severity, _ = loaded.decide(facts_of(RECORD))
    assert RECORD.severity.rules == ["asked"]
    (explanation,) = explain_rules(loaded, RECORD)
    assert [evidence.condition for evidence in explanation.evidence] == [condition]
    assert rules(condition, unmet).decide(facts_of(RECORD)).severity.rules == ["default"]


@pytest.mark.parametrize("condition", FIELDS)
def test_every_condition_is_documented(condition):
    rows = [line for line in (ROOT / "docs" / "rules.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    assert any(f"`{condition}`" in row.partition(" | ")[0] for row in rows)
