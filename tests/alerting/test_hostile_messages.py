"""A message that nobody of us wrote, on a topic that the alerter reads, costs itself alone."""

from types import SimpleNamespace

import msgspec
import pytest
from followed import FollowedTopic

from triage.alerting import actions
from triage.alerting.actions import ActionReader, read_actions
from triage.alerting.app import AlerterApp
from triage.alerting.rules import AlertRules
from triage.clock import ManualClock
from triage.config import KafkaSettings, load_settings
from triage.elastic.client import connect
from triage.metrics import Metrics
from triage.schemas.action import Acknowledge
from triage.schemas.counts import Watermark

BAD = [b"{", b"[]", b'{"type": "acknowledge", "id": "\xff"}', b'{"type": "counts", "topic": "\xc3\x28"}']
GOOD = Acknowledge(id="1", actor="kim", at_ms=1, dedup_key="spike-1")


@pytest.fixture
def follow(monkeypatch):
    def make(*values):
        topic = FollowedTopic(*values)
        monkeypatch.setattr(actions, "KafkaConsumer", topic)
        monkeypatch.setattr(actions, "reachable", lambda _: True)
        monkeypatch.setattr(actions, "_RETRY_S", 0.01)
        return topic

    return make


def test_actions_around_it_are_read(follow):
    follow(*BAD, msgspec.json.encode(GOOD))
    assert read_actions(KafkaSettings()).on_alerts() == [GOOD]


def test_the_reader_outlives_whatever_goes_wrong_with_an_action(follow):
    topic = follow(msgspec.json.encode(GOOD))
    taken = []

    def took(action):
        taken.append(action)
        if len(taken) == 1:
            raise RuntimeError("not thought of")

    reader = ActionReader(KafkaSettings(), took)
    reader.start()
    try:
        assert reader.caught_up.wait(10)
    finally:
        reader.stop()
    assert (taken, topic.consumers) == ([GOOD, GOOD], 2)


@pytest.mark.asyncio
async def test_window_counts_around_it_are_applied(monkeypatch):
    settings = load_settings(None, {})
    with connect(settings.elasticsearch) as client:
        app = AlerterApp(
            settings, AlertRules(rules=[]), ManualClock(), Metrics(), [], client,
            partitions=1, replicas=1, expected=set(),
        )  # fmt: skip
    mark = Watermark(topic="t", partition=0, watermark_ms=5, offset=1, lag=0, at_ms=6)
    applied, advanced = [], []
    monkeypatch.setattr(app, "_engine", lambda _: SimpleNamespace(apply=applied.append))

    async def advance(partition):
        advanced.append(partition)

    monkeypatch.setattr(app, "_advance", advance)
    message = SimpleNamespace(partition=0, offset=1, headers=())

    class Stream:
        async def take_events(self, *_, **__):
            yield [SimpleNamespace(value=value, message=message) for value in (*BAD, None, msgspec.json.encode(mark))]

    await app._consume(Stream())
    assert (applied, advanced) == ([mark], [0])
