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
