"""`triage alerts ack`, `snooze` and `silence`, as their user sees them."""

import json

import pytest
from alerts import ALERT
from cli import run
from scripted_http import ScriptedServer

from triage.alerting.app.actions import read_actions
from triage.config import load_settings
from triage.schemas.action import Acknowledge, Snooze
from triage.topics import apply_topics


@pytest.fixture
def index():
    alerts = {"triage-1": ALERT, "over": ALERT | {"status": "resolved", "ended_at": "2026-11-22T09:40:00.000Z"}}

    def answer(sent):
        if "_search" in sent.path:
            begin = json.loads(sent.body)["query"]["bool"]["filter"][0].get("prefix", {}).get("dedup_key", "")
            open_ones = [a for a in alerts.values() if a["status"] == "firing" and a["dedup_key"].startswith(begin)]
            hits = [{"_index": "alerts", "_id": a["dedup_key"], "_source": a} for a in open_ones]
            return 200, {"hits": {"hits": hits}}
        found = alerts.get(sent.path.rsplit("/", 1)[-1])
        return (
            (200, {"found": True, "_id": "x", "_index": "alerts", "_source": found})
            if found
            else (404, {"found": False})
        )

    server = ScriptedServer(answer)
    yield server
    server.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ack", "nothing"), 1, "no alert 'nothing'"),
        (("snooze", "over", "--for", "2h"), 1, "ended at 2026-11-22T09:40"),
        (("snooze", "triage-1", "--for", "2 hours"), 2, "--for takes a duration like 30m, 2h"),
        (("snooze", "triage-1", "--for", "31d"), 2, "at most 30d"),
    ],
)
def test_impossible_actions_are_refused(index, capfd, arguments, code, said):
    outcome = run(capfd, "alerts", *arguments, "--elasticsearch", index.url)
    assert outcome.code == code
    assert said in outcome.err


@pytest.mark.parametrize(
    ("match", "said"),
    [("brand", "'brand' is not a matcher"), ("colour=red", "unknown field 'colour'"), ("brand!=A", "with =")],
)
def test_a_silence_that_matches_nothing_known_is_refused(capfd, match, said):
    outcome = run(capfd, "alerts", "silence", "add", "--match", match, "--for", "2h")
    assert outcome.code == 2
    assert said in outcome.err


@pytest.mark.stack
def test_actions_reach_the_topic_and_a_silence_is_listed_and_ended(stack, prefix, index, capfd):
    kafka = ("--bootstrap-servers", stack.bootstrap_servers, "--set", f"kafka.topic_prefix={prefix}")
    settings = load_settings(None, {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix})
    outcome = run(capfd, "alerts", "ack", "triage-1", *kafka, "--elasticsearch", index.url)
    assert outcome.code == 2
    assert f"{prefix}.alert-actions" in outcome.err, "the topic is missing"

    apply_topics(settings.kafka)
    where = (*kafka, "--elasticsearch", index.url)
    assert run(capfd, "alerts", "ack", "triage", "--by", "Kim", "--comment", "on it", *where).code == 0
    for command in (
        ("snooze", "--latest", "--for", "1h30m"), ("unack", "--latest"), ("assign", "--latest", "--to", "Lee"),
        ("comment", "over", "--text", "flooded"), ("resolve", "--latest"), ("snooze", "--latest", "--for", "1h30m"),
    ):  # fmt: skip
        assert run(capfd, "alerts", *command, "--by", "Kim", *where).code == 0
    added = run(
        capfd, "alerts", "silence", "add", "--match", "brand=Acme", "--match", "intent!=praise", "--for", "2h",
        "--comment", "migration", *kafka,
    )  # fmt: skip
    name = added.out.split("\t")[0]
    assert "brand=Acme intent!=praise" in run(capfd, "alerts", "silence", "list", *kafka).out
    assert run(capfd, "alerts", "silence", "expire", "nothing", *kafka).code == 1
    assert run(capfd, "alerts", "silence", "expire", name, *kafka).code == 0
    assert "no silences" in run(capfd, "alerts", "silence", "list", *kafka).err

    book = read_actions(settings.kafka)
    done = book.on_alerts()
    assert [type(action).__name__ for action in done] == [
        "Acknowledge", "Unacknowledge", "Assign", "Comment", "Resolve", "Snooze"
    ]  # fmt: skip
    assert done[3].dedup_key == ALERT["dedup_key"], "an alert that is over can still be commented on"
    last = done[-1]
    assert isinstance(last, Snooze)
    assert not isinstance(last, Acknowledge)
    assert last.until_ms - last.at_ms == 5_400_000
    assert [silence.comment for silence in book.silences.all()] == ["migration"]
