"""The contract of every source: order, atomic commits, and resuming from the committed offsets."""

import time
from collections import Counter

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from triage.clock import SystemClock
from triage.config import load_settings
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.source import Message
from triage.topics import apply_topics


class MemoryBroker:
    def __init__(self):
        self.source = MemorySource()
        self.raw, self.out = "feedback.complaints", "feedback.enriched"

    def send(self, value, partition=0):
        self.source.append(self.raw, value, timestamp_ms=1, partition=partition)

    def join(self):
        return self.source.reopen()

    def output(self):
        return [message.value for message in self.source.produced]


class KafkaBroker:
    def __init__(self, endpoints, prefix):
        self.settings = load_settings(
            None,
            {
                "kafka.bootstrap_servers": endpoints.bootstrap_servers,
                "kafka.topic_prefix": prefix,
                "worker.group": prefix,
                "worker.heartbeat_interval_ms": 1000,
            },
        )
        apply_topics(self.settings.kafka)
        self.raw, self.out = self.settings.kafka.topic("complaints"), self.settings.kafka.topic("enriched")
        self.producer = KafkaProducer(bootstrap_servers=endpoints.bootstrap_servers)

    def send(self, value, partition=0):
        self.producer.send(self.raw, value=value, partition=partition).get(30)

    def join(self):
        return KafkaSource(
            self.settings.kafka,
            self.settings.worker,
            [self.raw],
            MemberIdentity(f"{self.settings.worker.group}-0", SystemClock()),
        )

    def output(self):
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        latest = KafkaConsumer(bootstrap_servers=self.settings.kafka.bootstrap_servers, enable_auto_commit=False)
        partitions = [TopicPartition(self.out, n) for n in latest.partitions_for_topic(self.out)]
        # Uncommitted, so that a commit whose marker is not yet written is waited for.
        ends = latest.end_offsets(partitions)
        latest.close(autocommit=False)
        consumer.assign(partitions)
        found, deadline = [], time.monotonic() + 60
        while any(consumer.position(each) < ends[each] for each in partitions):
            assert time.monotonic() < deadline, f"{self.out} could not be read to its end in 60 s"
            found += [r.value for records in consumer.poll(timeout_ms=250).values() for r in records]
        consumer.close(autocommit=False)
        return found

    def close(self):
        self.producer.close()


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
def broker(request):
    if request.param == "memory":
        yield MemoryBroker()
        return
    broker = KafkaBroker(request.getfixturevalue("stack"), request.getfixturevalue("prefix"))
    yield broker
    broker.close()


def _read(source, count):
    found = []
    for _ in range(100):
        found += source.poll(200, count - len(found))
        if len(found) >= count:
            break
    return found


def test_reads_in_order_and_a_successor_goes_on_from_the_commit(broker):
    for n in range(10):
        broker.send(b"%d" % n)
    source = broker.join()
    first = _read(source, 6)
    assert [m.value for m in first] == [b"%d" % n for n in range(6)]
    assert [m.position.offset for m in first] == list(range(6))
    assert source.stale(first) == set()
    source.commit([Message(broker.out, b"k", m.value) for m in first[:4]], {first[0].partition: 4})
    assert source.partitions()[broker.raw, 0].position == 6
    source.close()

    successor = broker.join()
    assert [m.value for m in _read(successor, 6)] == [b"%d" % n for n in range(4, 10)]
    successor.close()
    assert sorted(broker.output()) == [b"0", b"1", b"2", b"3"]


def test_a_waiting_member_keeps_its_place_and_reads_nothing(broker):
    for n in range(4):
        broker.send(b"%d" % n)
    source = broker.join()
    (head,) = _read(source, 1)
    for _ in range(5):
        source.keep_alive(50)
    assert source.stale([head]) == set()
    assert [m.value for m in _read(source, 3)] == [b"1", b"2", b"3"]
    source.close()


def test_what_was_fetched_before_waiting_is_read_after_it_from_every_partition(broker):
    for n in range(30):
        broker.send(b"%d" % n, partition=n % 3)
    source = broker.join()
    found = _read(source, 2)
    for _ in range(3):
        source.keep_alive(50)
        found += _read(source, 1)
    found += _read(source, 30 - len(found))
    assert sorted(int(m.value) for m in found) == list(range(30))
    source.close()


def test_a_backlog_of_one_partition_does_not_hold_up_the_others(broker):
    for n in range(300):
        broker.send(b"%d" % n, partition=0)
    for n in range(30):
        broker.send(b"%d" % n, partition=1 + n % 2)
    source = broker.join()
    found = []
    while len(found) < 90:
        found += source.poll(200, 30)
    # Three partitions share: in 90 records, those with 15 each are complete.
    taken = Counter(message.position.partition for message in found)
    assert taken[1] == taken[2] == 15
    while len(found) < 330:
        found += source.poll(200, 30)
    for number in range(3):
        offsets = [message.position.offset for message in found if message.position.partition == number]
        assert offsets == list(range(len(offsets)))
    source.close()
