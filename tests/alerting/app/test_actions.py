"""Sending what people do with alerts: an outage or a missing ACL costs the one action, not those after it."""

import pytest
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError

from triage.alerting.app import actions
from triage.alerting.app.actions import ActionWriter
from triage.clock import ManualClock
from triage.config import KafkaSettings
from triage.errors import AccessDenied, Unavailable


class Producer:
    """Fails with `failure`; as kafka-python's idempotent producer, it keeps failing after its first fatal error."""

    made = ()
    failure = None

    def __init__(self, **_):
        self.failure = Producer.failure
        self.closed = False
        Producer.made = (*Producer.made, self)

    def send(self, *_, **__):
        return self

    def get(self, timeout):
        if self.failure is not None:
            raise self.failure

    def close(self, timeout):
        self.closed = True


@pytest.fixture
def writer(monkeypatch):
    monkeypatch.setattr(Producer, "made", ())
    monkeypatch.setattr(actions, "wait_for_kafka", lambda *_, **__: None)
    monkeypatch.setattr(actions, "KafkaProducer", Producer)
    writer = ActionWriter(KafkaSettings(), ManualClock(1_000))
    yield writer
    writer.close()
    assert all(each.closed for each in Producer.made)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(TopicAuthorizationFailedError("denied"), AccessDenied), (KafkaTimeoutError("no answer"), Unavailable)],
)
def test_after_a_failure_the_next_action_gets_a_new_producer(writer, monkeypatch, failure, kind):
    monkeypatch.setattr(Producer, "failure", failure)
    with pytest.raises(kind, match="Kafka has not confirmed the action"):
        writer.acknowledge("key", "kim")
    monkeypatch.setattr(Producer, "failure", None)
    assert writer.snooze("key", "kim", 60).until_ms == 61_000
    assert len(Producer.made) == 2


def test_one_producer_serves_all_actions(writer):
    first, second = writer.acknowledge("key", "kim"), writer.acknowledge("key", "lee")
    assert (first.dedup_key, first.at_ms) == ("key", 1_000)
    assert first.id != second.id
    assessment = writer.judge("key", "kim", "false", "a sale")
    assert (assessment.key, assessment.verdict, assessment.comment) == ("judge/key", "false", "a sale")
    assert len(Producer.made) == 1
