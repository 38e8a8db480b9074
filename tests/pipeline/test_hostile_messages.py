"""A message that nobody of us wrote, on a topic that workers and commands read, costs itself alone."""

import contextlib
from types import SimpleNamespace

import msgspec
import pytest

from triage.config import KafkaSettings, load_settings
from triage.errors import Unavailable
from triage.pipeline import forgotten, output_offsets
from triage.pipeline.deadletter_book import entries
from triage.pipeline.forgotten import ForgottenAuthors, ForgottenWatch
from triage.pipeline.offset_check import Reached
from triage.pipeline.output_offsets import counted
from triage.redaction import Redactor
from triage.schemas.counts import WindowCounts
from triage.schemas.deadletter import DeadLetter
from triage.schemas.forgotten import ForgottenAuthor

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


class Scan(contextlib.nullcontext):
    """A topic of one partition."""

    def __init__(self, *values):
        super().__init__(self)
        self._records = [
            SimpleNamespace(key=b"\xffk", value=value, offset=at, timestamp=50) for at, value in enumerate(values)
        ]

    def partitions(self, _):
        return ["p"]

    def ranges(self, partitions):
        return {each: (0, len(self._records)) for each in partitions}

    def read(self, ranges):
        start, end = ranges["p"]
        if start < end:
            yield self._records[start:end]


@pytest.fixture
def authors():
    return ForgottenAuthors(Redactor(load_settings(None, {}).redaction))


def test_forgotten_authors_around_it_are_known(authors):
    for value in (*BAD, None, msgspec.json.encode(ForgottenAuthor(author="a", at_ms=5))):
        authors.put(value)
    assert len(authors) == 1
    assert authors.hold(["a"], 5)


def test_the_watch_outlives_what_nobody_thought_of(authors, monkeypatch):
    failures = iter([RuntimeError("not thought of"), Unavailable("kafka", "away")])

    def scan(*_):
        for failure in failures:
            raise failure
        return Scan(msgspec.json.encode(ForgottenAuthor(author="a", at_ms=5)))

    monkeypatch.setattr(forgotten, "TopicScan", scan)
    monkeypatch.setattr(forgotten, "_RETRY_S", 0.01)
    watch = ForgottenWatch(KafkaSettings(), authors)
    watch.start(10)
    watch.close()
    assert len(authors) == 1


def test_dead_letters_around_it_are_read():
    found = list(entries(Scan(*BAD, msgspec.json.encode(LETTER), None), "t"))
    assert found == [("\ufffdk", LETTER), ("\ufffdk", None)]


def test_offsets_around_it_are_counted(monkeypatch):
    counts = WindowCounts(window_ms=1, topic="t", partition=3, first_offset=0, last_offset=8, counts=[])
    monkeypatch.setattr(output_offsets, "TopicScan", lambda *_: Scan(*BAD, None, msgspec.json.encode(counts)))
    assert counted(KafkaSettings()) == {("t", 3): Reached(9, 50)}
