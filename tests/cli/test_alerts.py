"""`triage alerts` and the start of `triage alerter`, as their user sees them."""

import json

import pytest
from alerts import ALERT
from cli import run
from scripted_http import scripted_servers


@pytest.fixture
def server():
    with scripted_servers() as start:
        yield start


def found(*sources):
    return 200, {"hits": {"hits": [{"_index": "alerts", "_id": s["dedup_key"], "_source": s} for s in sources]}}


def test_list_prints_a_line_an_alert(server, capfd):
    silent = ALERT | {"dedup_key": "triage-2", "status": "resolved", "paged": False}
    refusal = {"receiver": "webhook", "error": "webhook: HTTP 403", "at": "2026-11-22T09:36:00.000Z", "retried": True}
    refused = ALERT | {"dedup_key": "triage-3", "paged": False, "refusals": [refusal]}
    index = server(lambda sent: found(ALERT, silent, refused))
    outcome = run(capfd, "alerts", "list", "--elasticsearch", index.url)
    assert outcome.code == 0
    first, second, third = outcome.out.splitlines()
    assert first == "2026-11-22T09:30:00.000Z\tfiring\tcritical\ttriage-1\tDelivery spikes"
    assert second.endswith("not paged")
    assert third.endswith("\tnot paged\trefused: webhook: HTTP 403")


def test_list_open_asks_for_firing_alerts_and_prints_json(server, capfd):
    index = server(lambda sent: found(ALERT))
    outcome = run(capfd, "alerts", "list", "--open", "--json", "--elasticsearch", index.url)
    assert json.loads(outcome.out)["dedup_key"] == "triage-1"
    query = json.loads(index.sent[0].body)["query"]
    assert {"term": {"status": "firing"}} in query["bool"]["filter"]


def test_an_empty_list_is_reported_on_standard_error(server, capfd):
    index = server(lambda sent: found())
    outcome = run(capfd, "alerts", "list", "--open", "--elasticsearch", index.url)
    assert (outcome.code, outcome.out) == (0, "")
    assert "no alerts are firing" in outcome.err


def test_show_prints_the_alert(server, capfd):
    index = server(lambda sent: (200, {"found": True, "_source": ALERT}))
    outcome = run(capfd, "alerts", "show", "triage-1", "--elasticsearch", index.url)
    assert json.loads(outcome.out)["title"] == "Delivery spikes"
    assert index.sent[0].path == "/alerts/_doc/triage-1"


def test_show_of_an_unknown_key_fails(server, capfd):
    index = server(lambda sent: (404, {"found": False}))
    outcome = run(capfd, "alerts", "show", "nothing", "--elasticsearch", index.url)
    assert outcome.code == 1
    assert "no alert 'nothing'" in outcome.err


def test_test_reports_each_receiver_and_fails_if_one_does(server, capfd):
    good, bad = server(lambda sent: (200, {})), server(lambda sent: (400, {"why": "no"}))
    outcome = run(
        capfd, "alerts", "test", "--set", f"alerting.webhook_url={good.url}", "--set", f"alerting.slack_url={bad.url}"
    )
    lines = dict(line.split("\t", 1) for line in outcome.out.splitlines())
    assert lines["log"] == "ok\tfiring, resolved"
    assert lines["webhook"] == "ok\tfiring, acknowledged, resolved"
    assert lines["slack"].startswith("failed\tfiring: slack: HTTP 400")
    assert len(bad.sent) == 1, "after a failure there is nothing to resolve"
    assert outcome.code == 1
    sent = [json.loads(request.body) for request in good.sent]
    assert [(page["event"], page["alert"]["rule"]) for page in sent] == [
        ("firing", "test"), ("acknowledged", "test"), ("resolved", "test")
    ]  # fmt: skip
    assert len({page["dedup_key"] for page in sent}) == 1


def test_test_succeeds_with_the_log_alone(capfd):
    assert run(capfd, "alerts", "test").code == 0


def test_the_alerter_refuses_bad_rules_with_every_problem(tmp_path, capfd):
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nrules:\n"
        "  - {name: a, dimension: [colour], window_s: 300, static: {share_at_least: 0.5, count_at_least: 3}}\n"
        "  - {name: b, dimension: [], window_s: 301, static: {share_at_least: 0.5, count_at_least: 3}}\n"
    )
    outcome = run(capfd, "alerter", "--set", f"alerting.rules={rules}")
    assert outcome.code == 2
    assert "colour" in outcome.err
    assert "301" in outcome.err


def test_budget_prints_what_each_rule_accepts_and_raised(server, capfd, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        """
version: 1
rules:
  - {name: brands, dimension: [brand], spike: {false_alerts: 7 a week}}
  - {name: intents, dimension: [intent], spike: {}}
  - {name: fixed, dimension: [region], spike: {z_count: 4}}
  - {name: share, dimension: [intent], static: {share_at_least: 0.5, count_at_least: 9}}
"""
    )
    raised = [{"dedup_key": str(n), "rule": "brands", "paged": n > 0} for n in range(3)]
    index = server(lambda sent: found(*raised))
    outcome = run(capfd, "alerts", "budget", "--set", f"alerting.rules={rules}", "--elasticsearch", index.url)
    assert outcome.out.splitlines() == [
        "brands\t7 a week: 30 false ones in 30 days\t3 alerts in 30 days\t2 paged",
        "intents\t0.005 a week per key: 0.0214 false ones in 30 days for each key\t0 alerts in 30 days\t0 paged",
        "fixed\tno budget: fixed score 4\t0 alerts in 30 days\t0 paged",
        "share\tno spike detector, so no budget\t0 alerts in 30 days\t0 paged",
    ]
    query = json.loads(index.sent[0].body)
    assert {"term": {"causes": "spike"}} in query["query"]["bool"]["filter"]
    assert "range" in query["query"]["bool"]["filter"][0]
