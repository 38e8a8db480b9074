"""What `dead-letters replay` takes: the next ones that are not back yet, each once."""

import time
from collections import Counter

import msgspec
import pytest
from kafka import KafkaProducer, TopicPartition

from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.dead_letters.reader import DeadLetterFilter
from triage.pipeline.dead_letters.replay import replay_letters
from triage.schemas.deadletter import DeadLetter
from triage.topics import apply_topics
from triage.topics.open_transactions import wait_for_open_transactions
from triage.topics.scan import TopicScan

pytestmark = pytest.mark.stack


class Letters:
    """Raw records in one partition, and a dead letter of each that is asked for."""

    def __init__(self, endpoints, prefix):
        self.settings = load_settings(
            None,
            {
                "kafka.bootstrap_servers": endpoints.bootstrap_servers,
                "kafka.topic_prefix": prefix,
                "worker.fleet": prefix,
                "worker.transaction_timeout_ms": 1000,
                "kafka.request_timeout_ms": 10_000,
            },
        )
        apply_topics(self.settings.kafka)
        self.raw = TopicPartition(self.settings.kafka.topic("complaints"), 0)
        self.notes = self.settings.kafka.topic("dead-letter")
        self.producer = KafkaProducer(bootstrap_servers=endpoints.bootstrap_servers)

    def fail(self, offset, reason="not_json", replayed_at=None):
        letter = DeadLetter(
            stage="decode", reason=reason, message="", topic=self.raw.topic, partition=0, offset=offset,
            timestamp_ms=1, failed_at=f"2026-11-22T09:{offset:02}:00Z", attempts=1, pipeline="1", payload="",
            payload_bytes=0, headers={}, replayed_at=replayed_at,
        )  # fmt: skip
        self.producer.send(self.notes, key=letter.key.encode(), value=msgspec.json.encode(letter)).get(30)

    def put(self, count):
        for number in range(count):
            self.producer.send(self.raw.topic, value=b"%d" % number, partition=0).get(30)

    def replay(self, wanted=DeadLetterFilter(), **options):  # noqa: B008 - immutable
        options = {"is_erased": lambda *_: False} | options
        return list(replay_letters(self.settings, ManualClock(1_795_339_800_000), wanted, **options))

    def put_back(self):
        """Number of copies of each value in the raw topic, after the first."""
        with TopicScan(self.settings.kafka, "test") as scan:
            # The transactions of a replay were answered before their markers were written.
            wait_for_open_transactions(scan, self.settings.kafka, [self.raw], 30)
            values = Counter(int(record.value) for records in scan.read(scan.ranges([self.raw])) for record in records)
        return {value: count - 1 for value, count in values.items() if count > 1}


@pytest.fixture
def letters(stack, prefix):
    found = Letters(stack, prefix)
    yield found
    found.producer.close()


def _outcomes(replayed):
    return dict(Counter(each.outcome for each in replayed))


def test_a_limit_takes_the_next_ones_that_are_not_back_yet(letters):
    letters.put(6)
    letters.fail(0, reason="crashed_the_worker")
    for offset in (1, 2, 3, 4):
        letters.fail(offset)
    letters.fail(59)
    assert _outcomes(letters.replay(limit=2, dry_run=True)) == {"needs_its_reason": 1, "would_replay": 2}
    assert letters.put_back() == {}
    assert _outcomes(letters.replay(limit=2)) == {"needs_its_reason": 1, "replayed": 2}
    assert letters.put_back() == {1: 1, 2: 1}
    assert _outcomes(letters.replay(limit=1)) == {"needs_its_reason": 1, "already_replayed": 2, "replayed": 1}
    assert letters.put_back() == {1: 1, 2: 1, 3: 1}
    last = letters.replay(limit=10)
    assert _outcomes(last) == {"needs_its_reason": 1, "already_replayed": 3, "replayed": 1, "gone": 1}
    assert letters.put_back() == {1: 1, 2: 1, 3: 1, 4: 1}


def test_a_limit_passes_over_more_than_one_read_of_letters_that_cannot_go(letters, monkeypatch):
    monkeypatch.setattr("triage.pipeline.dead_letters.replay._CHUNK", 2)
    letters.put(6)
    for offset in range(6):
        letters.fail(offset)
    erased = {b"0", b"1", b"2"}
    replayed = letters.replay(limit=2, is_erased=lambda payload, _: payload in erased)
    assert _outcomes(replayed) == {"forgotten": 3, "replayed": 2}
    assert letters.put_back() == {3: 1, 4: 1}


def test_what_an_earlier_run_noted_behind_a_worker_s_open_transaction_is_waited_for(letters, prefix, monkeypatch):
    letters.put(1)
    letters.fail(0)
    worker = KafkaProducer(bootstrap_servers=letters.settings.kafka.bootstrap_servers, transactional_id=f"{prefix}-w")
    worker.init_transactions()
    worker.begin_transaction()
    for partition in worker.partitions_for(letters.notes):
        worker.send(letters.notes, key=b"other", partition=partition).get(30)
    letters.fail(0, replayed_at="2026-11-22T09:29:00Z")
    waited = []

    class Ending(ManualClock):
        def sleep(self, seconds):
            if not waited:
                worker.abort_transaction()
            waited.append(seconds)
            assert len(waited) < 1_000, "the transaction is still open"
            # A real broker answers before its marker is written.
            time.sleep(0.05)

    monkeypatch.setattr("triage.topics.open_transactions.SystemClock", Ending)
    assert _outcomes(letters.replay()) == {"already_replayed": 1}
    assert waited
    assert letters.put_back() == {}
    worker.close()
