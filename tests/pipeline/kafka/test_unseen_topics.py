"""A topic that is not there, or may not be seen, is not taken for an empty one."""

import contextlib

import pytest
from followed import FollowedTopic
from kafka import TopicPartition

from triage.clock import ManualClock
from triage.config import KafkaSettings, load_settings
from triage.errors import ConfigError, Unavailable
from triage.pipeline.backfill import replay
from triage.pipeline.backfill.replay import Replay, Request
from triage.pipeline.dead_letters.reader import DeadLetterFilter, read_letters
from triage.pipeline.erasure.tombstones import read_erased_authors
from triage.pipeline.kafka import output_offsets
from triage.pipeline.kafka.offset_check import ProcessedOffset
from triage.redaction import Redactor
from triage.types import Channel


@pytest.fixture
def unseen():
    topic = FollowedTopic()
    topic.partitions = []
    return topic()


def test_the_list_of_forgotten_authors(unseen):
    with pytest.raises(ConfigError, match="topic forgotten does not exist"):
        read_erased_authors(unseen, Redactor(load_settings(None, {}).redaction))


def test_dead_letters(unseen):
    with pytest.raises(ConfigError, match="topic dead-letter does not exist"):
        read_letters(unseen, DeadLetterFilter())


def test_raw_records_to_replay(monkeypatch):
    topic = FollowedTopic()
    topic.partitions = []
    monkeypatch.setattr(replay, "TopicScan", topic)
    monkeypatch.setattr(Replay, "_elasticsearch", lambda _: contextlib.nullcontext())
    request = Request(None, 1, tuple(Channel))
    with pytest.raises(ConfigError, match="topic complaints does not exist"):
        Replay(load_settings(None, {}), ManualClock(), request).size()


def test_the_output_that_committed_offsets_are_compared_with(monkeypatch):
    topic = FollowedTopic()
    topic.partitions = []
    monkeypatch.setattr(output_offsets, "TopicScan", topic)
    with pytest.raises(ConfigError, match="topic window-counts does not exist"):
        output_offsets.processed_offsets(KafkaSettings())


class _Raw(contextlib.nullcontext):
    """Three raw topics: one as ever, one that was deleted, one that a broker that has just started does not know."""

    def existing_partitions(self, name):
        if name == "gone":
            raise ConfigError("topic feedback.gone does not exist")
        if name == "unknown":
            raise Unavailable("kafka", "feedback.unknown exists, but not every broker knows of it yet")
        return [TopicPartition(f"feedback.{name}", 0)]

    def ranges(self, partitions):
        return dict.fromkeys(partitions, (5, 9))

    def fetch(self, positions):
        assert not list(positions)
        return {}


def test_raw_topics_of_processed_offsets(monkeypatch):
    raw = _Raw()
    monkeypatch.setattr(output_offsets, "TopicScan", lambda *_: contextlib.nullcontext(raw))

    def confirmed(*topics):
        processed = {(f"feedback.{topic}", 0): ProcessedOffset(5, 50) for topic in topics}
        return output_offsets.confirmed_partitions(KafkaSettings(), processed)

    assert confirmed("complaints", "gone") == {("feedback.complaints", 0)}
    with pytest.raises(Unavailable, match="not every broker knows"):
        confirmed("complaints", "unknown")
