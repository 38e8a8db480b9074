"""A message that nobody of us wrote, on a topic that workers and commands read, costs itself alone."""

import msgspec
import pytest
from followed import FollowedTopic

from triage.config import KafkaSettings, load_settings
from triage.pipeline.dead_letters.reader import entries
from triage.pipeline.erasure.tombstones import ErasedAuthors, follow_erased_authors
from triage.pipeline.kafka import output_offsets
from triage.pipeline.kafka.offset_check import ProcessedOffset
from triage.pipeline.kafka.output_offsets import processed_offsets
from triage.redaction import Redactor
from triage.schemas.counts import WindowCounts
from triage.schemas.deadletter import DeadLetter
from triage.schemas.forgotten import ForgottenAuthor
from triage.topics import follower

BAD = [
    b"{",
    b"\xff",
    b'{"author": "\xff", "at_ms": 5}',
    b'{"stage": "\xc3\x28"}',
    b'{"type": "counts", "topic": "\xff"}',
]
LETTER = DeadLetter(
    stage="decode", reason="not_json", message="", topic="t", partition=0, offset=7, timestamp_ms=0, failed_at="",
    attempts=1, pipeline="0", payload="", payload_bytes=0, headers={},
)  # fmt: skip


@pytest.fixture
def authors():
    return ErasedAuthors(Redactor(load_settings(None, {}).redaction))


def test_forgotten_authors_around_it_are_known(authors):
    for value in (*BAD, None, msgspec.json.encode(ForgottenAuthor(author="a", at_ms=5))):
        authors.put(value)
    assert len(authors) == 1
    assert authors.contains(["a"], 5)


def test_forgotten_authors_around_it_are_followed(authors, monkeypatch):
    good = msgspec.json.encode(ForgottenAuthor(author="a", at_ms=5))
    monkeypatch.setattr(follower, "TopicScan", FollowedTopic(*BAD, None, good))
    watch = follow_erased_authors(KafkaSettings(), authors)
    watch.start_and_wait(10)
    watch.stop()
    assert len(authors) == 1


def test_dead_letters_around_it_are_read():
    found = list(entries(FollowedTopic(*BAD, msgspec.json.encode(LETTER), None)()))
    assert found == [("\ufffdk", LETTER), ("\ufffdk", None)]


def test_offsets_around_it_are_counted(monkeypatch):
    counts = WindowCounts(window_ms=1, topic="t", partition=3, first_offset=0, last_offset=8, counts=[])
    monkeypatch.setattr(output_offsets, "TopicScan", FollowedTopic(*BAD, None, msgspec.json.encode(counts)))
    assert processed_offsets(KafkaSettings()) == {("t", 3): ProcessedOffset(9, 50)}
