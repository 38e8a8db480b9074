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
    header, first, second, third = outcome.out.splitlines()
    assert header == "STARTED\tSTATUS\tSEVERITY\tKEY\tTITLE\tNOTES"
    assert first == "2026-11-22T09:30:00.000Z\tfiring\tcritical\ttriage-1\tDelivery spikes"
    assert second.endswith("not paged")
    assert third.endswith("\tnot paged; refused: webhook: HTTP 403")


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


def test_show_prints_the_alert_to_read(server, capfd):
    known = ALERT | {
        "acknowledged": {"by": "Kim", "at": "2026-11-22T09:36:00.000Z", "comment": "on it"},
        "examples": [{"id": "1", "text": "Where is it?", "intent": "delivery", "channel": "review", "at": ""}],
    }
    index = server(lambda sent: (200, {"found": True, "_source": known}))
    outcome = run(capfd, "alerts", "show", "triage-1", "--elasticsearch", index.url)
    assert outcome.out.startswith("Delivery spikes\n\ns\n\nSince: 2026-11-22 09:30 UTC\n")
    assert "Acknowledged: by Kim at 2026-11-22 09:36 UTC: on it\n" in outcome.out
    assert "History:\n  2026-11-22 09:30 UTC  It began\n" in outcome.out
    assert "What people write:\n  > Where is it?" in outcome.out
    assert index.sent[0].path == "/alerts/_doc/triage-1"


def test_show_prints_json_for_programs(server, capfd):
    index = server(lambda sent: (200, {"found": True, "_source": ALERT}))
    outcome = run(capfd, "alerts", "show", "triage-1", "--json", "--elasticsearch", index.url)
    assert json.loads(outcome.out)["title"] == "Delivery spikes"


def _by_prefix(*alerts):
    def answer(sent):
        if "_doc" in sent.path:
            return 404, {"found": False}
        query = json.loads(sent.body)["query"]["bool"]["filter"]
        begin = next((each["prefix"]["dedup_key"] for each in query if "prefix" in each), "")
        status = next((each["term"]["status"] for each in query if "term" in each), None)
        return found(*(a for a in alerts if a["dedup_key"].startswith(begin) and status in {None, a["status"]}))

    return answer


def test_the_beginning_of_a_key_is_enough_if_it_is_the_only_one(server, capfd):
    first, second = ALERT | {"dedup_key": "triage-5ab1"}, ALERT | {"dedup_key": "triage-5ab2", "title": "Another"}
    index = server(_by_prefix(first, second))
    for begin in ("triage-5ab2", "5ab2"):
        outcome = run(capfd, "alerts", "show", begin, "--json", "--elasticsearch", index.url)
        assert json.loads(outcome.out)["dedup_key"] == "triage-5ab2"
    outcome = run(capfd, "alerts", "show", "5ab", "--elasticsearch", index.url)
    assert outcome.code == 1
    assert "2 alerts have a key that begins with '5ab'" in outcome.err
    assert "triage-5ab2  Another" in outcome.err
    assert run(capfd, "alerts", "show", "7", "--elasticsearch", index.url).code == 1


def test_latest_is_the_alert_that_began_last(server, capfd):
    index = server(lambda sent: found(ALERT))
    outcome = run(capfd, "alerts", "show", "--latest", "--elasticsearch", index.url)
    assert outcome.out.startswith("Delivery spikes")
    assert json.loads(index.sent[0].body)["sort"] == [{"started_at": "desc"}]
    for arguments in ((), ("triage-1", "--latest")):
        outcome = run(capfd, "alerts", "show", *arguments, "--elasticsearch", index.url)
        assert outcome.code == 2
        assert "or --latest" in outcome.err


def test_show_of_an_unknown_key_fails(server, capfd):
    index = server(_by_prefix())
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
