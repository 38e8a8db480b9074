"""A foreign message on a topic that the alerter reads is skipped; those around it are read."""

from types import SimpleNamespace

import msgspec
import pytest
from followed import FollowedTopic

from triage.alerting.app import actions
from triage.alerting.app.actions import follow_actions, read_actions
from triage.alerting.app.faust_app import AlerterApp
from triage.alerting.rules.model import AlertRules
from triage.clock import ManualClock
from triage.config import KafkaSettings, load_settings
from triage.elastic.client import connect
from triage.metrics import Metrics
from triage.schemas.action import Acknowledge
from triage.schemas.counts import Watermark
from triage.topics import follower

BAD = [b"{", b"[]", b'{"type": "acknowledge", "id": "\xff"}', b'{"type": "counts", "topic": "\xc3\x28"}']
GOOD = Acknowledge(id="1", actor="kim", at_ms=1, dedup_key="spike-1")


def test_actions_around_it_are_read(monkeypatch):
    monkeypatch.setattr(actions, "TopicScan", FollowedTopic(*BAD, None, msgspec.json.encode(GOOD)))
    assert read_actions(KafkaSettings()).on_alerts() == [GOOD]


def test_actions_around_it_are_followed(monkeypatch):
    monkeypatch.setattr(follower, "TopicScan", FollowedTopic(*BAD, None, msgspec.json.encode(GOOD)))
    taken = []
    reader = follow_actions(KafkaSettings(), taken.append)
    reader.start_and_wait(10)
    reader.stop()
    assert taken == [GOOD]


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
    monkeypatch.setattr(app, "_engine_of", lambda _: SimpleNamespace(apply=applied.append))

    async def advance(partition):
        advanced.append(partition)

    monkeypatch.setattr(app, "_advance", advance)
    message = SimpleNamespace(partition=0, offset=1, headers=())

    class Stream:
        async def take_events(self, *_, **__):
            yield [SimpleNamespace(value=value, message=message) for value in (*BAD, None, msgspec.json.encode(mark))]

    await app._consume(Stream())
    assert (applied, advanced) == ([mark], [0])
