"""`triage dead-letters` on a stack: what failed is listed, put back once, and stays the record that it was."""

import json

import pytest
from cli import run
from harness import Fleet, wait_for

pytestmark = pytest.mark.stack
ONCE_BAD = b'{"text": "x", "created_at": "2999-01-01T00:00:00Z", "note": "mail jane@example.com"}'


@pytest.fixture
def fleet(stack, prefix, tmp_path):
    fleet = Fleet(stack, prefix, tmp_path).prepare()
    yield fleet
    fleet.stop()


def _run(capfd, fleet, *arguments):
    settings = [f"--set=kafka.bootstrap_servers={fleet.settings.kafka.bootstrap_servers}"]
    return run(
        capfd, "dead-letters", *arguments, *settings, f"--set=kafka.topic_prefix={fleet.prefix}",
        f"--set=worker.fleet={fleet.prefix}", "--set=logging.level=ERROR", "--set=kafka.start_timeout_s=20",
    )  # fmt: skip


def test_list_show_and_replay_without_doubles(fleet, capfd):
    fleet.start_worker("a")
    fleet.produce([b"no json at all", ONCE_BAD, b'{"text": ""}'], topic="complaints")
    fleet.wait_drained()
    listed = _run(capfd, fleet, "list", "--json")
    assert listed.code == 0, listed.err
    letters = [json.loads(line) for line in listed.out.splitlines()]
    assert sorted(letter["reason"] for letter in letters) == ["created_at_in_future", "empty_text", "not_json"]
    assert "3 dead letters" in listed.err
    assert all(letter["schema_version"] == 3 and letter["attempts"] == 1 for letter in letters)
    assert "jane@example.com" not in listed.out
    assert _run(capfd, fleet, "list", "--since", "1h", "--reason", "not_json").out.count("\n") == 1
    assert _run(capfd, fleet, "list", "--until", "1h").out == ""

    (future,) = [letter for letter in letters if letter["reason"] == "created_at_in_future"]
    position = f"{future['topic']}/{future['partition']}/{future['offset']}"
    shown = json.loads(_run(capfd, fleet, "show", position).out)
    assert shown["raw_record"] == "retained"
    assert "[EMAIL]" in shown["payload"]

    assert _run(capfd, fleet, "replay").code == 2
    dry = _run(capfd, fleet, "replay", "--all", "--dry-run")
    assert dry.out.count("would be replayed") == 3
    fleet.stop()
    fleet.flags["worker.max_future_hours"] = "10000000"
    fleet.start_worker("a")
    for _ in range(2):
        replayed = _run(capfd, fleet, "replay", "--topic", "complaints", "--reason", "created_at_in_future")
        assert replayed.code == 0
        assert position in replayed.out
    assert "was replayed at" in replayed.out
    wait_for(lambda: fleet.read("enriched"), 60, "the record")
    # The replay's transaction has left a marker behind the record.
    fleet.wait_drained()
    audit = fleet.audit()
    assert dict(audit.enriched) == dict(audit.indexed) == {position: 1}
    assert audit.counted == 1
    assert "2 dead letters" in _run(capfd, fleet, "list").err


@pytest.mark.slow
def test_what_fails_again_stands_under_its_first_position_and_can_be_replayed_again(fleet, capfd):
    fleet.start_worker("a")
    fleet.produce([b"no json"], topic="reviews")
    fleet.wait_drained()
    for attempts in (2, 3):
        assert "\treplayed" in _run(capfd, fleet, "replay", "--all").out
        wait_for(
            lambda n=attempts: n in [d.get("attempts") for _, d, _ in fleet.read("dead-letter")], 60, "the failure"
        )
    (letter,) = [json.loads(line) for line in _run(capfd, fleet, "list", "--json").out.splitlines()]
    assert letter["attempts"] == 3
    assert letter["original"].endswith("/0")
    assert letter["offset"] > 0
    assert _run(capfd, fleet, "show", letter["original"]).code == 0


def test_unknown_positions_are_reported(fleet, capfd):
    missing = _run(capfd, fleet, "show", f"{fleet.prefix}.complaints/0/9")
    assert missing.code == 1
    assert "no dead letter at" in missing.err
    assert _run(capfd, fleet, "replay", "nonsense").code == 2
