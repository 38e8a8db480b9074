"""A source on Kafka does not resume from committed offsets that its group's own output shows to be old."""

from dataclasses import replace
from functools import partial

import msgspec
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.structs import OffsetAndMetadata
from structlog.testing import capture_logs

from triage.clock import SystemClock
from triage.config import load_settings
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier, ProcessedOffset
from triage.pipeline.kafka.output_offsets import offset_queries
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.source import Message
from triage.schemas.counts import KeyCount, WindowCounts
from triage.topics import apply_topics

pytestmark = pytest.mark.stack


class Group:
    """Ten records of which a first worker has committed six, with their counts."""

    def __init__(self, endpoints, prefix):
        flags = {
            "kafka.bootstrap_servers": endpoints.bootstrap_servers,
            "kafka.topic_prefix": prefix,
            "worker.group": prefix,
            "worker.heartbeat_interval_ms": 1000,
        }
        self.settings = load_settings(None, flags)
        apply_topics(self.settings.kafka)
        self.raw = self.settings.kafka.topic("complaints")
        producer = KafkaProducer(bootstrap_servers=endpoints.bootstrap_servers)
        for number in range(10):
            producer.send(self.raw, value=b"%d" % number, partition=0).get(30)
        producer.close()
        source = self.join(0)
        assert read(source, 6) == list(range(6))
        counts = WindowCounts(
            window_ms=300_000,
            topic=self.raw,
            partition=0,
            first_offset=0,
            last_offset=5,
            counts=[KeyCount(0, "", {}, 1, 6)],
        )
        message = Message(self.settings.kafka.topic("window-counts"), None, msgspec.json.encode(counts), 0)
        source.commit([message], {(self.raw, 0): 6})
        source.close()

    def join(self, patience_s, ask=None):
        kafka, name = self.settings.kafka, self.settings.worker.group
        real = offset_queries(kafka, name)
        asked = real if ask is None else replace(real, committed=partial(ask, real.committed))
        verifier = CommittedOffsetVerifier(asked, SystemClock(), SystemClock(), patience_s)
        return KafkaSource(
            kafka, self.settings.worker, [self.raw], MemberIdentity(f"{name}-0", SystemClock()), verifier=verifier
        )

    def set_committed(self, offset):
        """As `kafka-consumer-groups --reset-offsets` does."""
        source = self.join(0)
        assert read(source, 1)
        source.commit([], {(self.raw, 0): offset})
        source.close()

    def commit_without_membership(self, offset):
        """Without membership, and so unfenced: the coordinator's answer changes while the source waits."""
        name = self.settings.worker.group
        producer = KafkaProducer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers, transactional_id=f"{name}-other"
        )
        producer.init_transactions()
        producer.begin_transaction()
        where = TopicPartition(self.raw, 0)
        producer.send_offsets_to_transaction({where: OffsetAndMetadata(offset, "", -1)}, name)
        producer.commit_transaction()
        producer.close()


@pytest.fixture
def group(stack, prefix):
    return Group(stack, prefix)


def read(source, count):
    found = []
    for _ in range(100):
        found += [int(message.value) for message in source.poll(200, count - len(found))]
        if len(found) >= count:
            break
    return found


def test_a_successor_of_a_sound_group_reads_on_at_once(group):
    with capture_logs() as logs:
        source = group.join(60)
        assert read(source, 4) == [6, 7, 8, 9]
        source.close()
    assert "committed_offsets_behind_output" not in [entry["event"] for entry in logs]


def test_old_answers_of_the_coordinator_are_not_used(group):
    answers = [{}, {(group.raw, 0): 2}]

    def ask(really, partitions):
        return answers.pop(0) if answers else really(partitions)

    source = group.join(60, ask)
    while answers:
        assert source.poll(200, 10) == []
        assert source.partitions() == {}
    assert read(source, 4) == [6, 7, 8, 9]
    assert source.partitions()[group.raw, 0].position == 10
    source.close()


@pytest.mark.slow
def test_the_position_that_came_with_the_assignment_is_not_kept(group):
    group.set_committed(2)
    asked = []

    def ask(really, partitions):
        asked.append(1)
        if len(asked) == 3:
            group.commit_without_membership(6)
        return really(partitions)

    source = group.join(60, ask)
    assert read(source, 4) == [6, 7, 8, 9]
    # Or more: the other commit is answered before its marker is written.
    assert len(asked) >= 3
    source.close()


@pytest.mark.slow
def test_offsets_that_stay_old_are_replaced_by_those_of_the_output(group):
    group.set_committed(2)
    source = group.join(1)
    assert read(source, 4) == [6, 7, 8, 9]
    source.close()
    assert offset_queries(group.settings.kafka, group.settings.worker.group).committed([(group.raw, 0)]) == {
        (group.raw, 0): 6
    }


def test_offsets_that_were_reset_on_purpose_are_taken_without_patience(group):
    group.set_committed(2)
    source = group.join(0)
    assert read(source, 8) == list(range(2, 10))
    source.close()


@pytest.mark.slow
def test_a_transaction_that_the_coordinator_holds_open_for_ever_is_passed(group, monkeypatch):
    source = group.join(1)

    def unsettled(*_, **__):
        raise KafkaTimeoutError

    monkeypatch.setattr(source._consumer, "committed", unsettled)
    assert read(source, 4) == [6, 7, 8, 9]
    source.close()


def test_what_is_reached_holds_while_its_last_record_is_there_and_older(group):
    now_ms = SystemClock().now_ms()
    where, elsewhere, nowhere = (group.raw, 0), (group.raw, 1), ("no-such-topic", 0)
    confirm = offset_queries(group.settings.kafka, "any").confirm
    assert confirm(
        {where: ProcessedOffset(10, now_ms), elsewhere: ProcessedOffset(3, now_ms), nowhere: ProcessedOffset(1, now_ms)}
    ) == {where}
    assert confirm({where: ProcessedOffset(6, now_ms - 3_600_000)}) == set()
    assert confirm({where: ProcessedOffset(11, now_ms)}) == set()
