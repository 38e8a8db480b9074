"""A batch that can't be read holds up its own partition alone, and is named."""

import time

import msgspec
import pytest
from kafka import KafkaProducer, TopicPartition, codec
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from library_reader import refuse_all

from triage.alerting.app.actions import follow_actions, read_actions
from triage.clock import ManualClock, SystemClock
from triage.errors import ConfigError, TriageError, Unavailable
from triage.metrics import Metrics
from triage.pipeline.dead_letters import skip as skipping
from triage.pipeline.dead_letters.reader import DeadLetterFilter, read_letters
from triage.pipeline.dead_letters.skip import Readers, skip
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.runtime.health import Health
from triage.schemas.action import Acknowledge
from triage.topics import open_transactions
from triage.topics.kafka_compat import records
from triage.topics.kafka_types import OffsetAndMetadata
from triage.topics.scan import TopicScan
from triage.types import Position

pytestmark = pytest.mark.stack
# kafka-python sends a batch as it is if its codec would not make it smaller.
LONG = b" text" * 200


def send(settings, partition, *values, compression=None, topic="complaints", key=None):
    """One batch of these values."""
    producer = KafkaProducer(
        bootstrap_servers=settings.kafka.bootstrap_servers, compression_type=compression, linger_ms=1000
    )
    for value in values:
        producer.send(settings.kafka.topic(topic), value=value, key=key, partition=partition)
    producer.flush()
    producer.close()


class Joined:
    """A source with what its worker shows of it."""

    def __init__(self, settings):
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.health = Health(self.clock)
        self.topic = settings.kafka.topic("complaints")
        self.source = KafkaSource(
            settings.kafka,
            settings.worker,
            [self.topic],
            MemberIdentity(f"{settings.worker.fleet}-0", SystemClock()),
            unreadable=UnreadablePartitions(self.clock, self.metrics, self.health),
        )

    def read(self, enough, within_s=30.0):
        """The values that are read until there are enough of them."""
        found, until = [], time.monotonic() + within_s
        while not enough(found) and time.monotonic() < until:
            found += [message.value for message in self.source.poll(200, 100)]
        return found

    def waiting(self):
        return self.health.ready()[1]["waiting_for"]

    def offset(self, partition):
        labels = {"topic": self.topic, "partition": str(partition)}
        return self.metrics.registry.get_sample_value("triage_unreadable_batch_offset", labels)


@pytest.fixture
def damaged(monkeypatch):
    """Until it is called, records with the value z1 can't be read, nor what comes after them in their batch.

    A broker takes no batch that is damaged when it comes.
    """
    read = DefaultRecordBatch._read_msg

    def fail(self):
        record = read(self)
        if record.value == b"z1":
            raise CorruptRecordError("damaged")
        return record

    monkeypatch.setattr(DefaultRecordBatch, "_read_msg", fail)
    monkeypatch.setattr(records, "compiled_reader", refuse_all)
    return monkeypatch.undo


def test_every_codec_of_kafka_is_read(settings):
    for compression in ("gzip", "lz4", "snappy", "zstd"):
        send(settings, 0, compression.encode() + LONG, compression.encode() + LONG, compression=compression)
    joined = Joined(settings)
    read = joined.read(lambda found: len(found) == 8)
    assert [value.removesuffix(LONG) for value in read[::2]] == [b"gzip", b"lz4", b"snappy", b"zstd"]
    joined.source.close()


def test_only_the_partition_of_the_batch_waits_until_it_can_be_read(settings, damaged):
    send(settings, 0, b"before")
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    joined = Joined(settings)
    assert joined.read(lambda found: found and joined.waiting()) == [b"before"]
    send(settings, 1, b"other")
    assert joined.read(lambda found: found) == [b"other"]
    assert joined.offset(0) == 1
    (name, why), *others = joined.waiting().items()
    assert (name, others) == (f"{joined.topic}/0", [])
    assert f"the batch at {joined.topic}/0/1 can't be read (" in why
    assert "CorruptRecordError: " in why
    assert f"triage worker skip {joined.topic}/0/1" in why
    assert joined.source.partitions()[joined.topic, 0].lag == 3

    damaged()
    assert joined.source.poll(500, 100) == []
    joined.clock.advance(10)
    assert joined.read(lambda found: len(found) == 3) == [b"z1", b"z2", b"after"]
    joined.source.poll(0, 1)
    assert joined.waiting() == {}
    assert joined.offset(0) is None
    joined.source.close()


def test_a_batch_in_a_codec_that_is_missing_is_described(settings, monkeypatch):
    send(settings, 0, LONG, LONG, compression="zstd")
    monkeypatch.setattr(codec, "zstd", None)
    joined = Joined(settings)
    assert joined.read(lambda _: joined.waiting()) == []
    (why,) = joined.waiting().values()
    assert f"the batch at {joined.topic}/0/0 can't be read (2 records, codec zstd, " in why
    assert "UnsupportedCodecError: Libraries for zstd compression codec not found" in why
    joined.source.close()


def test_skip_passes_the_batch_as_a_dead_letter_and_the_worker_reads_on(settings, damaged, clock):
    send(settings, 0, b"before")
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    joined = Joined(settings)
    assert joined.read(lambda found: found and joined.waiting()) == [b"before"]
    position = Position(joined.topic, 0, 1)
    with pytest.raises(TriageError, match=r"the records before .*/0/1 are not processed yet: they begin at 0"):
        skip(settings, clock, position)
    joined.source.commit([], {(joined.topic, 0): 1})
    with pytest.raises(TriageError, match=r"the next batch that can't be read is at .*/0/1, not at .*/0/2"):
        skip(settings, clock, Position(joined.topic, 0, 2))
    assert skip(settings, clock, position, dry_run=True).next_offset == 3
    skip(settings, clock, position)
    with pytest.raises(TriageError, match=r"/0/1 was passed: the group .* continues at 3"):
        skip(settings, clock, position)
    joined.clock.advance(10)
    assert joined.read(lambda found: found) == [b"after"]
    joined.source.poll(0, 1)
    assert joined.waiting() == {}
    joined.source.close()

    damaged()
    with TopicScan(settings.kafka, "test") as scan:
        (letter,) = read_letters(scan, DeadLetterFilter())
    assert (letter.position, letter.stage, letter.reason) == (str(position), "read", "unreadable_batch")
    assert letter.message.startswith("offsets 1 to 2: CorruptRecordError: ")
    assert letter.payload.startswith("<2 records, codec none, ")
    assert letter.payload_bytes > 0


def test_a_batch_of_window_counts_is_skipped_for_the_alerters(settings, damaged, clock):
    topic, readers = settings.kafka.topic("window-counts"), Readers.alerters(settings)
    send(settings, 0, b"z1", b"z2", topic="window-counts")
    with pytest.raises(ConfigError, match="is not a raw topic; these are: "):
        skip(settings, clock, Position(topic, 0, 0))
    with pytest.raises(ConfigError, match="is not the topic of window counts; these are: "):
        skip(settings, clock, Position(settings.kafka.topic("complaints"), 0, 0), readers=readers)
    assert skip(settings, clock, Position(topic, 0, 0), readers=readers).next_offset == 2
    with pytest.raises(TriageError, match=r"the group .*alerter.* continues at 2"):
        skip(settings, clock, Position(topic, 0, 0), readers=readers)


def test_a_batch_of_turns_is_skipped_for_those_who_answer_them(settings, damaged, clock):
    topic = settings.kafka.topic("turns")
    send(settings, 0, b"z1", b"z2", topic="turns", key=b"c")
    assert skip(settings, clock, Position(topic, 0, 0)).next_offset == 2
    with pytest.raises(TriageError, match=f"/0/0 was passed: the group {topic} continues at 2"):
        skip(settings, clock, Position(topic, 0, 0))


def test_what_can_be_read_is_not_skipped(settings, clock):
    send(settings, 0, b"fine")
    topic = settings.kafka.topic("complaints")
    with pytest.raises(TriageError, match="can be read; there is nothing to skip"):
        skip(settings, clock, Position(topic, 0, 0))
    with pytest.raises(ConfigError, match="no partition"):
        skip(settings, clock, Position(topic, 99, 0))
    with pytest.raises(ConfigError, match="is not a raw topic; these are: "):
        skip(settings, clock, Position(settings.kafka.topic("enriched"), 0, 0))


def test_a_scan_names_the_batch_or_passes_it(settings, damaged):
    send(settings, 0, b"before")
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    where = TopicPartition(settings.kafka.topic("complaints"), 0)
    passed = []
    with TopicScan(settings.kafka, "test") as scan:
        with pytest.raises(Unavailable, match=r"the batch at .*/0/1 can't be read"):
            list(scan.read({where: (0, 4)}))
        read = [record.value for records in scan.read({where: (0, 4)}, passed.append) for record in records]
        assert read == [b"before", b"after"]
        assert [(batch.offset, batch.next_offset) for batch in passed] == [(1, 3)]
        wanted = [Position(*where, offset) for offset in range(4)]
        assert {position.offset for position in scan.fetch(wanted)} == {0, 3}


def test_a_worker_that_reads_on_while_it_is_skipped_is_not_set_back(settings, damaged, clock, monkeypatch):
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    joined = Joined(settings)
    joined.read(lambda _: joined.waiting())
    next_batch = skipping._next_batch

    def next_batch_and_pass_it(*arguments):
        found = next_batch(*arguments)
        joined.source.commit([], {(joined.topic, 0): 3})
        return found

    monkeypatch.setattr(skipping, "_next_batch", next_batch_and_pass_it)
    with pytest.raises(TriageError, match=r"/0/0 was passed meanwhile: the group .* continues at 3"):
        skip(settings, clock, Position(joined.topic, 0, 0))
    joined.source.close()
    with TopicScan(settings.kafka, "test") as scan:
        assert list(read_letters(scan, DeadLetterFilter())) == []


def test_the_commit_of_a_worker_that_is_under_way_is_waited_for(settings, damaged, clock, monkeypatch):
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    joined = Joined(settings)
    joined.read(lambda _: joined.waiting())
    producer, waits = joined.source._producer, []

    class Ending(SystemClock):
        def sleep(self, seconds):
            waits.append(seconds)
            if len(waits) == 2:
                producer.commit_transaction()
            super().sleep(seconds)

    next_batch = skipping._next_batch

    def next_batch_and_send_offsets(*arguments):
        found = next_batch(*arguments)
        producer.begin_transaction()
        # Sent before the offset of the command, and committed after it.
        offsets = {TopicPartition(joined.topic, 0): OffsetAndMetadata(3)}
        producer.send_offsets_to_transaction(offsets, joined.source._consumer.membership())
        return found

    monkeypatch.setattr(skipping, "_next_batch", next_batch_and_send_offsets)
    monkeypatch.setattr(open_transactions, "SystemClock", Ending)
    with pytest.raises(TriageError, match=r"/0/0 was passed meanwhile: the group .* continues at 3"):
        skip(settings, clock, Position(joined.topic, 0, 0))
    assert len(waits) >= 2
    joined.source.close()
    with TopicScan(settings.kafka, "test") as scan:
        assert list(read_letters(scan, DeadLetterFilter())) == []


@pytest.mark.real
def test_the_offset_of_a_worker_that_is_sent_after_that_of_the_command_stays(settings, damaged, clock, monkeypatch):
    send(settings, 0, b"z1", b"z2")
    send(settings, 0, b"after")
    joined = Joined(settings)
    joined.read(lambda _: joined.waiting())
    require = skipping._require_not_passed

    def require_and_pass_it(*arguments):
        require(*arguments)
        joined.source.commit([], {(joined.topic, 0): 4})

    monkeypatch.setattr(skipping, "_require_not_passed", require_and_pass_it)
    skip(settings, clock, Position(joined.topic, 0, 0))
    assert joined.source._consumer.committed(TopicPartition(joined.topic, 0)) == 4
    joined.source.close()


def test_actions_after_a_batch_that_can_not_be_read_still_count(settings, damaged):
    actions = [Acknowledge(id=name, actor="ann", at_ms=1, dedup_key=name) for name in "ab"]
    before, after = (msgspec.json.encode(each) for each in actions)
    for value in (before, b"z1", after):
        send(settings, 0, value, topic="alert-actions", key=value[-9:])
    taken = []
    follower = follow_actions(settings.kafka, taken.append)
    follower.start_and_wait(30)
    follower.stop()
    assert taken == actions
    assert read_actions(settings.kafka).on_alerts() == actions
