"""Records after a transaction that a producer left open count as lag, and are named."""

import time

import pytest
from kafka import KafkaProducer

from triage.clock import ManualClock, SystemClock
from triage.metrics import Metrics
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.kafka.stall_detector import StallDetector
from triage.pipeline.source import PartitionState
from triage.runtime.health import Health

WHERE = ("t", 0)
LABELS = {"topic": "t", "partition": "0"}


class Watched:
    def __init__(self):
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.health = Health(self.clock)
        self.transactions = OpenTransactions(self.clock, self.metrics, self.health)

    def see(self, *states, seconds=0):
        self.clock.advance(seconds)
        self.transactions.watch(dict(zip([WHERE], states, strict=False)))
        waiting = self.health.ready()[1]["waiting_for"]
        return self.metrics.registry.get_sample_value("triage_open_transaction_records", LABELS), waiting


def test_one_that_stays_open_is_named_until_it_ends():
    watched = Watched()
    assert watched.see(PartitionState(5, 5, 9)) == (4, {})
    assert watched.see(PartitionState(5, 5, 12), seconds=59) == (7, {})
    held, waiting = watched.see(PartitionState(5, 5, 12), seconds=1)
    assert held == 7
    assert waiting == {
        "the transaction on t/0": "a producer has left a transaction open at offset 5 for 60 s; 7 records wait for its "
        "end; find it: kafka-transactions.sh find-hanging"
    }
    assert watched.see(PartitionState(5, 12, 12), seconds=1) == (None, {})


def test_transactions_that_follow_each_other_are_not_named():
    watched = Watched()
    for offset in range(5):
        assert watched.see(PartitionState(offset, offset, offset + 2), seconds=40) == (2, {})


def test_a_partition_that_was_revoked_is_no_longer_named():
    watched = Watched()
    watched.see(PartitionState(5, 5, 9))
    watched.see(PartitionState(5, 5, 9), seconds=60)
    assert watched.see() == (None, {})


def test_what_cannot_be_read_yet_is_lag_but_no_stall():
    state = PartitionState(5, 5, 9)
    assert (state.lag, state.readable, state.held) == (4, 0, 4)
    clock = ManualClock()
    detector = StallDetector(clock)
    for _ in range(30):
        detector.count_empty_poll()
        clock.advance(10)
        assert detector.stalled({WHERE: state}) == []


@pytest.mark.stack
def test_the_source_counts_what_stands_after_an_open_transaction(stack, prefix, settings):
    topic = settings.kafka.topic("complaints")
    plain = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    held = KafkaProducer(bootstrap_servers=stack.bootstrap_servers, transactional_id=f"{prefix}-held")
    held.init_transactions()
    plain.send(topic, value=b"before", partition=0).get(30)
    held.begin_transaction()
    held.send(topic, value=b"open", partition=0).get(30)
    plain.send(topic, value=b"after", partition=0).get(30)

    source = KafkaSource(settings.kafka, settings.worker, [topic], MemberIdentity(f"{prefix}-0", SystemClock()))
    read, until = [], time.monotonic() + 30

    def poll_until(enough):
        while not enough() and time.monotonic() < until:
            read.extend(message.value for message in source.poll(200, 10))

    def state():
        return source.partitions().get((topic, 0), PartitionState(0, 0))

    poll_until(lambda: state().lag == 2)
    assert read == [b"before"]
    assert (state().held, state().readable) == (2, 0)
    held.abort_transaction()
    poll_until(lambda: b"after" in read and not state().lag)
    assert read == [b"before", b"after"]
    assert (state().lag, state().held) == (0, 0)
    source.close()
    held.close()
    plain.close()
