"""`triage doctor` against a stack: what is missing, then what is there; its exit code is the state."""

import json

import pytest
from checkout import TINY_MODEL
from cli import run

from triage.local.stack import free_port

KEY = "a-secret-of-our-own"


@pytest.fixture
def options(stack, prefix):
    settings = {
        "kafka.bootstrap_servers": stack.bootstrap_servers, "elasticsearch.url": stack.elasticsearch_url,
        "kafka.topic_prefix": prefix, "elasticsearch.index_prefix": prefix, "worker.group": prefix,
        "alerting.console_url": f"http://127.0.0.1:{free_port()}", "model.path": TINY_MODEL,
        "redaction.author_key": KEY,
    }  # fmt: skip
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


@pytest.mark.stack
def test_missing_parts_are_failures_with_the_command_that_makes_them(capfd, options):
    outcome = run(capfd, "doctor", *options)
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert "FAILED   topics: missing: " in outcome.out
    assert "         -> triage topics apply" in lines
    assert "         -> triage index plan, then apply" in lines
    assert "ok       model: tiny" in outcome.out
    assert lines[-1].endswith("warnings")

    assert run(capfd, "topics", "apply", *options).code == 0
    assert run(capfd, "index", "apply", *options).code == 0
    outcome = run(capfd, "doctor", "--json", *options)
    found = [json.loads(line) for line in outcome.out.splitlines()]
    states = {(each["subject"], each["state"]) for each in found}
    assert {("topics", "ok"), ("index", "ok"), ("Kafka", "ok"), ("settings", "ok"), ("model", "ok")} <= states
    assert ("console", "warning") in states
    # No worker runs here.
    assert outcome.code == 1
    assert next(each["text"] for each in found if each["state"] == "failed").startswith("No worker is in the group")


def test_without_any_server_each_is_named_without_python_words(capfd):
    port = free_port()
    outcome = run(
        capfd, "doctor", "--timeout", "0.2", "--set", f"kafka.bootstrap_servers=127.0.0.1:{port}",
        "--set", f"elasticsearch.url=http://127.0.0.1:{port}", "--set", f"model.path={TINY_MODEL}",
        "--set", f"alerting.console_url=http://127.0.0.1:{port}",
    )  # fmt: skip
    assert outcome.code == 1
    assert [line.split()[1] for line in outcome.out.splitlines() if line.startswith("FAILED")] == [
        "Kafka:", "Elasticsearch:", "processes:",
    ]  # fmt: skip
    assert "Errno" not in outcome.out
    assert "HTTPConnection" not in outcome.out
    assert outcome.err == ""


def test_invalid_settings_are_refused_as_ever(capfd):
    assert run(capfd, "doctor", "--set", "worker.batch=x").code == 2
