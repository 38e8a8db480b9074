"""`triage alerts rules`, `budget` and `judge`, as their user sees them."""

import json

import pytest
from alerts import ALERT
from cli import run
from scripted_http import scripted_servers

from triage.clock import SystemClock, rfc3339

RULES = """
version: 1
rules:
  - {name: brands, dimension: [brand], spike: {false_alerts: 7 a week}}
  - {name: intents, dimension: [intent], spike: {}}
  - {name: fixed, dimension: [region], spike: {z_count: 4}}
  - {name: share, dimension: [intent], static: {share_at_least: 0.5, count_at_least: 9}}
"""


@pytest.fixture
def server():
    with scripted_servers() as start:
        yield start


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return ("--set", f"alerting.rules={path}")


def found(*sources):
    return 200, {"hits": {"hits": [{"_index": "alerts", "_id": s["dedup_key"], "_source": s} for s in sources]}}


def alert(days_ago, verdict=None, **fields):
    at = rfc3339(SystemClock().now_ms() - days_ago * 86_400_000)
    said = {} if verdict is None else {"assessment": {"verdict": verdict, "by": "Kim", "at": at}}
    return {"dedup_key": f"t{days_ago}", "rule": "brands", "causes": ["spike"], "started_at": at} | said | fields


def test_budget_prints_what_each_rule_accepts_and_spent(server, capfd, rules):
    index = server(lambda sent: found(alert(1, "false"), alert(2, "right"), alert(3, paged=False), alert(40, "false")))
    outcome = run(capfd, "alerts", "budget", *rules, "--elasticsearch", index.url)
    nothing = "0 alerts in 30 days, 0 paged: 0 false, 0 right, 0 not assessed"
    assert outcome.out.splitlines() == [
        "brands\t7 a week: 30 false ones in 30 days\t3 alerts in 30 days, 2 paged: 1 false, 1 right, 1 not assessed",
        f"intents\t0.005 a week per key: 0.0214 false ones in 30 days for each key\t{nothing}",
        f"fixed\tno budget: fixed score 4\t{nothing}",
        f"share\tno spike detector, so no budget\t{nothing}",
    ]
    [search] = [json.loads(sent.body) for sent in index.sent]
    assert "range" in search["query"]["bool"]["filter"][0]


def test_rules_says_how_often_a_rule_was_right_and_what_to_change(server, capfd, rules, monkeypatch):
    monkeypatch.setattr("triage.cli.alerts_rules._keys", lambda settings: None)
    index = server(lambda sent: found(*(alert(days, "false") for days in (1, 2, 3)), alert(60, "right")))
    outcome = run(capfd, "alerts", "rules", *rules, "--elasticsearch", index.url)
    lines = outcome.out.split("intents")[0].splitlines()
    assert lines[0] == "brands"
    assert lines[2] == "  precision over 90 days: 25% (1 of 4 right; 95 % interval 5% to 70%)"
    assert lines[3].endswith(
        "were false: for fewer, write false_alerts: 3.5 a week in rule brands (now false_alerts: 7 a week)"
    )
    assert "no alerter answers" in outcome.err
    listed = run(capfd, "alerts", "list", *rules, "--elasticsearch", index.url)
    assert "write false_alerts: 3.5 a week in rule brands" in listed.err
    first = run(capfd, "alerts", "rules", "--json", *rules, "--elasticsearch", index.url).out.splitlines()[0]
    assert json.loads(first)["proposal"] == {"now": "false_alerts: 7 a week", "instead": "false_alerts: 3.5 a week"}
    assert json.loads(first)["precision"]["n"] == 4


def test_rules_says_which_could_not_have_fired(server, capfd, rules, monkeypatch):
    from triage.alerting.precision.report import RuleKeys

    keys = {"brands": RuleKeys(watched=4), "intents": RuleKeys(5, 5), "fixed": RuleKeys(9, 0, 70, 9)}
    monkeypatch.setattr("triage.cli.alerts_rules._keys", lambda settings: keys)
    outcome = run(capfd, "alerts", "rules", *rules, "--elasticsearch", server(lambda sent: found()).url)
    assert [line.strip() for line in outcome.out.splitlines() if "keys watched" in line] == [
        "4 keys watched: 0 learning, 0 with too few records; 7.5 false alerts allowed for each in 30 days",
        "5 keys watched: 5 learning, 0 with too few records; 0.0214 false alerts allowed for each in 30 days. It could "
        "not have fired: all of its keys are learning",
        "9 keys watched: 0 learning, 9 with too few records; 70 more counted together (alerting.top_keys). It could "
        "not have fired: none of its keys has enough records now",
        "0 keys watched: 0 learning, 0 with too few records. It could not have fired: it has seen no records",
    ]


class Writer:
    """Takes the place of the writer to Kafka."""

    def __init__(self):
        self.sent = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def judge(self, dedup_key, actor, verdict, comment=""):
        self.sent.append((dedup_key, actor, verdict, comment))
        return type("Sent", (), {"actor": actor})


@pytest.fixture
def writer(monkeypatch):
    writer = Writer()
    monkeypatch.setattr("triage.cli.alerts_judge.open_writer", lambda settings: writer)
    return writer


@pytest.fixture
def index(server):
    alerts = {f"triage-{key}": ALERT | {"dedup_key": f"triage-{key}"} for key in ("1a2b", "1a3c", "77")}

    def answer(sent):
        if "_doc" in sent.path:
            stored = alerts.get(sent.path.rsplit("/", 1)[-1])
            return (200, {"found": True, "_id": "x", "_index": "alerts", "_source": stored}) if stored else (404, {})
        query = json.loads(sent.body)["query"]
        wanted = [one["prefix"]["dedup_key"] for one in query["bool"]["filter"]]
        return found(*(one for key, one in alerts.items() if all(key.startswith(begin) for begin in wanted)))

    return server(answer)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("triage-77", "right"), ("triage-77", "right")),
        (("triage-1a2", "false"), ("triage-1a2b", "false")),
        (("1a3", "withdrawn"), ("triage-1a3c", "withdrawn")),
        (("--latest", "false"), ("triage-1a2b", "false")),
    ],
)
def test_judge_takes_a_key_its_beginning_or_the_latest_alert(index, writer, capfd, words, sent):
    outcome = run(capfd, "alerts", "judge", *words, "--by", "Kim", "--note", "a sale", "--elasticsearch", index.url)
    assert outcome.code == 0, outcome.err
    assert outcome.out == f"{sent[1]}\t{sent[0]}\tKim\tDelivery spikes\n"
    assert writer.sent == [(sent[0], "Kim", sent[1], "a sale")]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("1a", "false"), 1, "2 alerts have a key that begins with '1a'"),
        (("9", "false"), 1, "no alert '9' in the index alerts"),
        (("77", "wrong"), 2, "right, false or withdrawn, not 'wrong'"),
        (("false",), 2, "name one alert"),
        (("77", "78", "false"), 2, "takes one KEY"),
        (("--latest", "77", "false"), 2, "name one alert"),
    ],
)
def test_an_unclear_assessment_is_refused(index, writer, capfd, words, code, said):
    outcome = run(capfd, "alerts", "judge", *words, "--elasticsearch", index.url)
    assert outcome.code == code
    assert said in outcome.err
    assert writer.sent == []
