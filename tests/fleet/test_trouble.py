"""Alerts and dead letters of the fleet page, also where somebody looked before there was any topic."""

import msgspec
import pytest
from kafka import KafkaProducer

from triage.clock import SystemClock
from triage.config import KafkaSettings
from triage.fleet.trouble import Trouble
from triage.schemas.alert import Alert
from triage.schemas.deadletter import DeadLetter
from triage.topics import apply_topics, load_definitions

pytestmark = pytest.mark.stack
ALERT = Alert(
    dedup_key="spike-1", rule="r", key="", dimensions={}, status="firing", severity="high", title="t", summary="s",
    started_at="2026-11-22T09:30:00.000Z", updated_at="2026-11-22T09:30:00.000Z", window_s=300, negative=1, total=1,
    share=1.0, peak_negative=1, examples=[],
)  # fmt: skip
LETTER = DeadLetter(
    stage="decode", reason="not_json", message="", topic="t", partition=0, offset=7, timestamp_ms=0, failed_at="",
    attempts=1, pipeline="0", payload="", payload_bytes=0, headers={},
)  # fmt: skip


@pytest.fixture
def kafka(stack, prefix):
    return KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)


@pytest.fixture
def trouble(kafka):
    found = Trouble(kafka, SystemClock())
    yield found
    found.close()


def _create(kafka, *names):
    apply_topics(kafka, definitions=[each for each in load_definitions(kafka) if each.name in names])


def _put(kafka, **messages):
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    for name, message in messages.items():
        producer.send(kafka.topic(name.replace("_", "-")), key=b"k", value=msgspec.json.encode(message)).get(30)
    producer.close()


def _seen(trouble):
    trouble.look()
    return trouble.states, dict(trouble.dead_letters)


def test_topics_that_are_created_after_the_first_look_are_read(kafka, trouble):
    assert _seen(trouble) == ({}, {})
    _create(kafka, "alerts", "dead-letter")
    _put(kafka, alerts=ALERT, dead_letter=LETTER)
    assert _seen(trouble) == ({"k": ALERT.state}, {"not_json": 1})
    assert [each.title for each in trouble.open.values()] == ["t"]


@pytest.mark.parametrize("first", ["alerts", "dead-letter"])
def test_one_that_is_created_later_than_the_other_too_and_nothing_is_counted_twice(kafka, trouble, first):
    _create(kafka, first)
    assert _seen(trouble) == ({}, {})
    _put(kafka, **({"alerts": ALERT} if first == "alerts" else {"dead_letter": LETTER}))
    trouble.look()
    _create(kafka, "alerts", "dead-letter")
    _put(kafka, **({"alerts": ALERT} if first != "alerts" else {"dead_letter": LETTER}))
    for _ in range(2):
        assert _seen(trouble) == ({"k": ALERT.state}, {"not_json": 1})
