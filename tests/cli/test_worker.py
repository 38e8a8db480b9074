"""`triage worker` against what is not there: a clear message, exit 1 or 2, within the time set."""

import pytest
from checkout import TINY_MODEL
from cli import run

from triage.local.stack import free_port

MODEL = ("--set", f"model.path={TINY_MODEL}")
# For the side that is absent alone: the other one may need longer to answer.
NO_KAFKA = ("--set", "kafka.start_timeout_s=0.5")
NO_ELASTICSEARCH = ("--set", "elasticsearch.start_timeout_s=0.5")


def test_no_elasticsearch(capfd):
    url = f"http://127.0.0.1:{free_port()}"
    outcome = run(capfd, "worker", "--elasticsearch", url, *MODEL, *NO_ELASTICSEARCH)
    assert outcome.code == 1
    assert url in outcome.err


def test_credentials_in_clear_text_are_warned_of_and_the_demo_key_is_refused(capfd):
    elsewhere = ("--set", "elasticsearch.url=http://es.invalid:9200", "--set", "elasticsearch.api_key=SEEDED")
    outcome = run(capfd, "worker", *elsewhere, *MODEL, *NO_ELASTICSEARCH)
    assert outcome.code == 2
    assert "credentials_in_clear_text" in outcome.err
    assert "redaction.author_key is the demo key" in outcome.err
    assert "SEEDED" not in outcome.err


@pytest.mark.parametrize("command", ["serve", "replay"])
def test_the_demo_key_is_refused_beyond_this_machine(command, capfd):
    more = ("--from", "2026-01-01") if command == "replay" else ("--port", "0")
    outcome = run(capfd, command, *more, "--bootstrap-servers", "kafka.invalid:9092", *MODEL)
    assert outcome.code == 2
    assert "redaction.author_key is the demo key" in outcome.err


@pytest.mark.stack
def test_no_broker(capfd, stack, prefix):
    broker = f"127.0.0.1:{free_port()}"
    setup = ("--elasticsearch", stack.elasticsearch_url, "--set", f"elasticsearch.index_prefix={prefix}")
    alerts = ("--set", f"elasticsearch.alerts_index=alerts-{prefix}")
    assert run(capfd, "index", "apply", *setup, *alerts).code == 0
    outcome = run(capfd, "worker", *setup, "--bootstrap-servers", broker, *MODEL, *NO_KAFKA)
    assert outcome.code == 1
    assert broker in outcome.err


@pytest.mark.stack
def test_topics_or_index_not_applied(capfd, stack, prefix):
    names = ("--set", f"kafka.topic_prefix={prefix}", "--set", f"elasticsearch.index_prefix={prefix}")
    where = ("--bootstrap-servers", stack.bootstrap_servers, "--elasticsearch", stack.elasticsearch_url)
    outcome = run(capfd, "worker", *where, *names, *MODEL)
    assert outcome.code == 2
    assert "run triage topics apply" in outcome.err


@pytest.mark.stack
def test_a_key_that_is_not_the_one_of_its_version_is_refused_at_start(capfd, stack, prefix):
    names = ("--set", f"kafka.topic_prefix={prefix}", "--set", f"elasticsearch.index_prefix={prefix}")
    alerts = ("--set", f"elasticsearch.alerts_index=alerts-{prefix}")
    brokers = ("--set", f"kafka.bootstrap_servers={stack.bootstrap_servers}")
    where = ("--set", f"elasticsearch.url={stack.elasticsearch_url}")
    first, second = (("--set", f"redaction.author_key={name}-secret-of-our-own") for name in ("first", "second"))
    assert run(capfd, "topics", "apply", *names, *brokers).code == 0
    assert run(capfd, "index", "apply", *names, *alerts, *where, *first).code == 0
    assert "nothing to do" in run(capfd, "index", "plan", *names, *alerts, *where, *first).out
    outcome = run(capfd, "worker", *names, *alerts, *where, *brokers, *MODEL, *second)
    assert outcome.code == 2
    assert "redaction.author_key is not the key that made the author hashes of version 1" in outcome.err
    # No document has a hash yet: the key may still be replaced.
    assert "author_keys.1" in run(capfd, "index", "apply", *names, *alerts, *where, *second).out
