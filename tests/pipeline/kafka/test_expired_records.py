"""What retention deleted before it was read is reported, and new partitions are found."""

import time

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from triage.clock import SystemClock
from triage.metrics import Metrics
from triage.pipeline.kafka import source as module
from triage.pipeline.kafka.expired_records import ExpiredRecords
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier, OffsetQueries
from triage.pipeline.kafka.source import KafkaSource


@pytest.fixture
def admin(stack):
    client = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    yield client
    client.close()


def send(settings, partition, count):
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    for number in range(count):
        producer.send(settings.kafka.topic("complaints"), value=b"%d" % number, partition=partition)
    producer.flush()
    producer.close()


class Joined:
    def __init__(self, settings):
        self.topic = settings.kafka.topic("complaints")
        self.metrics = Metrics()
        nothing = OffsetQueries(dict, lambda _: {}, lambda _: set())
        self.source = KafkaSource(
            settings.kafka,
            settings.worker,
            [self.topic],
            MemberIdentity(f"{settings.worker.group}-0", SystemClock()),
            verifier=CommittedOffsetVerifier(nothing, SystemClock(), SystemClock(), 0),
            expired=ExpiredRecords(self.metrics),
        )

    def read(self, count, within_s=30.0, max_records=100):
        """The offsets of the next records."""
        found, until = [], time.monotonic() + within_s
        while len(found) < count and time.monotonic() < until:
            found += [message.position.offset for message in self.source.poll(200, min(max_records, count))]
        return found

    def expired(self):
        return self.metrics.registry.get_sample_value("triage_records_expired_total", {"topic": self.topic})


@pytest.mark.stack
def test_records_that_were_deleted_while_the_worker_was_down_are_reported_once(settings, admin):
    where = TopicPartition(settings.kafka.topic("complaints"), 0)
    send(settings, 0, 30)
    joined = Joined(settings)
    assert joined.read(5)[:5] == [0, 1, 2, 3, 4]
    joined.source.commit([], {where: 5})
    joined.source.close()
    assert joined.expired() is None
    admin.delete_records({where: 25})

    successor = Joined(settings)
    assert successor.read(5) == [25, 26, 27, 28, 29]
    assert successor.expired() == 20
    successor.source.close()
    again = Joined(settings)
    assert again.read(5)[:1] == [25]
    assert again.expired() is None
    again.source.close()


@pytest.mark.stack
@pytest.mark.slow
def test_the_first_records_of_a_partition_are_missed_too(settings, admin):
    """Its worker had nothing to commit there when it stopped."""
    where = TopicPartition(settings.kafka.topic("complaints"), 1)
    joined = Joined(settings)
    assert joined.read(1, within_s=3) == []
    joined.source.close()
    send(settings, 1, 30)
    admin.delete_records({where: 25})
    successor = Joined(settings)
    assert successor.read(5) == [25, 26, 27, 28, 29]
    assert successor.expired() == 25
    successor.source.close()


@pytest.mark.stack
@pytest.mark.slow
def test_what_was_deleted_before_the_group_existed_is_no_loss(settings, admin):
    send(settings, 0, 30)
    admin.delete_records({TopicPartition(settings.kafka.topic("complaints"), 0): 25})
    joined = Joined(settings)
    assert joined.read(5) == [25, 26, 27, 28, 29]
    assert joined.expired() is None
    joined.source.close()


@pytest.mark.stack
@pytest.mark.slow
def test_a_new_partition_is_read_without_a_restart(settings, admin, monkeypatch):
    assert module._METADATA_MAX_AGE_MS <= 20_000
    monkeypatch.setattr(module, "_METADATA_MAX_AGE_MS", 500)
    joined = Joined(settings)
    joined.source.poll(1000, 10)
    number = len(joined.source.partitions()) or 3
    admin.create_partitions({joined.topic: number + 1})
    send(settings, number, 1)
    assert joined.read(1) == [0]
    assert (joined.topic, number) in joined.source.partitions()
    joined.source.close()


def test_offsets_that_are_still_there_are_no_loss():
    metrics = Metrics()
    ExpiredRecords(metrics).report(("t", 0), 7, 7)
    ExpiredRecords(metrics).report(("t", 0), 7, 3)
    assert metrics.registry.get_sample_value("triage_records_expired_total", {"topic": "t"}) is None
