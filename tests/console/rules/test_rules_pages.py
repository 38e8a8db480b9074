"""The pages of alert rules: what they spent, how often they were right, and what keeps them from firing."""

import asyncio
import re

import httpx
import pytest

from triage.alerting.lifecycle.assessments import Assessments
from triage.alerting.precision.report import RuleKeys, rule_reports
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import DAY_MS, ManualClock
from triage.config import load_settings
from triage.console.app import build_service
from triage.console.rules.reading import RuleReader
from triage.elastic.alert_counts import PastAlert, PastAlerts
from triage.errors import Unavailable
from triage.fleet import FleetView
from triage.metrics import Metrics
from triage.schemas.action import Judge
from triage.web.health import WebHealth

NOW = 1_795_339_800_000
RULES = AlertRules(
    [
        Rule(name="brands", dimension=["brand"], spike={"false_alerts": "1 a week"}),
        Rule(name="all", dimension=[], static={"share_at_least": 0.5, "count_at_least": 5}),
    ]
)


def past(days_ago, verdict=None):
    return PastAlert(f"t{days_ago}", "brands", NOW - days_ago * DAY_MS, causes=("spike",), verdict=verdict)


def get(path, alerts=(), keys=None, error=None, language="en"):
    async def read():
        if error is not None:
            raise error
        return rule_reports(RULES, alerts, NOW, keys)

    app = build_service(Metrics(), WebHealth(lambda: None), {}.get, rules=read)

    async def request():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get(path, headers={"accept-language": language})

    return asyncio.run(request())


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def test_the_list_has_every_rule_with_its_budget_and_what_it_spent():
    keys = {"brands": RuleKeys(watched=20, learning=2, others=7), "all": RuleKeys(watched=1, too_few=1)}
    found = text_of(get("/rules", [past(1, "right"), past(2, "false"), past(3)], keys))
    assert "1 a week: 4.29 false alerts in 30 days" in found
    assert "3 alerts in 30 days, 3 notified; 1 said to be false" in found
    assert "50% right, of 2 assessed alerts (95% interval: 9% to 91%)" in found
    assert "20 watched; 2 learning, 0 with too few records; 7 more counted together as others" in found
    assert "It could not have fired: none of its keys has enough records now." in found
    assert "proposes a change" not in found


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "write false_alerts: 0.5 a week in this rule (now false_alerts: 1 a week). Nothing changes by itself."),
        ("zh", "请在这条规则中写 false_alerts: 0.5 a week（现为 false_alerts: 1 a week）。不会自动修改。"),
    ],
)
def test_three_false_alerts_in_a_row_propose_a_smaller_budget(language, said):
    alerts = [past(days, "false") for days in (1, 2, 3)]
    page = get("/rules/brands", alerts, {"brands": RuleKeys(watched=30)}, language=language)
    assert said in text_of(page)
    assert "0.143" in text_of(page), "the share of each key"


def test_without_alerters_and_assessments_the_page_says_what_is_not_known():
    found = text_of(get("/rules/brands"))
    assert "not known: no alerter answers" in found
    assert "not known: no alert was assessed in 90 days" in found


def test_an_unknown_rule_and_an_outage():
    assert get("/rules/none").status_code == 404
    for path in ("/rules", "/rules/brands"):
        answer = get(path, error=Unavailable("elasticsearch", "no node answers"))
        assert answer.status_code == 503
        assert "no node answers" in answer.text


def test_what_people_said_counts_before_the_index_has_it(monkeypatch):
    stored = [past(1, "right"), past(2), past(3, "right")]
    monkeypatch.setattr("triage.console.rules.reading.past_alerts", lambda *_: PastAlerts(stored))
    monkeypatch.setattr("triage.console.rules.reading.load_alert_rules", lambda _: RULES)
    said = Assessments(
        Judge(id=key, actor="Kim", at_ms=NOW, dedup_key=key, verdict=verdict)
        for key, verdict in (("t1", "withdrawn"), ("t2", "false"))
    )
    reader = RuleReader(load_settings(None, {}), None, ManualClock(NOW), said)
    brands, _ = reader.read(FleetView(at="", interval_s=1.0, rules={"brands": {"watched": 4, "learning": 1}}))
    assert (brands.right, brands.false, brands.keys) == (1, 1, RuleKeys(4, 1))
    assert reader.read(None)[0].keys is None
