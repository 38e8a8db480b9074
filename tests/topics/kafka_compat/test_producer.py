"""Transactions that end in bounded time, with every record or not at all."""

from types import SimpleNamespace

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
)
from kafka.net.compat import KafkaNetClient
from kafka.producer.future import FutureProduceResult, FutureRecordMetadata
from kafka.producer.sender import Sender
from unconnected_producer import unconnected

from triage.errors import Fenced
from triage.topics.kafka_compat import BoundedProducer, CoordinatorSeekingClient, end_producer

PARTITIONS = [TopicPartition("t", number) for number in range(3)]


class Waiting:
    """A transaction that never ends; it keeps what its waiter said."""

    def __init__(self):
        self.timeouts = []

    def begin_commit(self):
        return self

    def wait(self, timeout_ms=None):
        self.timeouts.append(timeout_ms)


def test_the_library_waits_for_a_commit_without_end():
    manager = Waiting()
    unconnected(_transaction_manager=manager, _sender=SimpleNamespace(wakeup=lambda: None)).commit_transaction()
    assert manager.timeouts == [None]


class Gone:
    """A coordinator that takes no connection; it keeps for how long each was waited for."""

    def __init__(self):
        self.waits, self.lookups = [], []

    def await_ready(self, node_id, timeout_ms=0):
        self.waits.append(timeout_ms)
        raise KafkaConnectionError(f"{node_id} not ready")

    def send_to_it(self):
        handler = SimpleNamespace(request="commit", needs_coordinator=lambda: True, coordinator_type="transaction")
        manager = SimpleNamespace(
            is_completing=lambda: False,
            next_request_handler=lambda _: handler,
            coordinator=lambda _: "coordinator-1",
            lookup_coordinator_for_request=self.lookups.append,
            retry=lambda _: None,
        )
        sender = SimpleNamespace(
            _transaction_manager=manager,
            _accumulator=SimpleNamespace(has_incomplete=False),
            _running=True,
            _force_close=False,
            _client=self,
            config={"request_timeout_ms": 30_000},
        )
        Sender._maybe_send_pending_request(sender)


def test_the_library_waits_for_a_dead_coordinator_as_long_as_for_an_answer():
    gone = Gone()
    gone.send_to_it()
    assert (gone.waits, len(gone.lookups)) == ([30_000], 1)


def test_a_dead_coordinator_is_given_up_in_time_to_ask_for_the_new_one(monkeypatch):
    gone = Gone()
    monkeypatch.setattr(KafkaNetClient, "await_ready", lambda _, node, timeout_ms: gone.await_ready(node, timeout_ms))
    with pytest.raises(KafkaConnectionError):
        CoordinatorSeekingClient.__new__(CoordinatorSeekingClient).await_ready("coordinator-1", timeout_ms=30_000)
    assert gone.waits == [2_000]


def _undeliverable(make, stack, name):
    """A producer in a transaction with one record, which passes its delivery timeout before it is sent."""
    producer = make(bootstrap_servers=stack.bootstrap_servers, transactional_id=name, request_timeout_ms=10_000)
    producer.init_transactions()
    producer.begin_transaction()
    producer.partitions_for(name)
    producer._accumulator.config["delivery_timeout_ms"] = 0
    return producer, producer.send(name, value=b"record")


@pytest.mark.stack
def test_the_library_commits_without_records_that_it_did_not_deliver(stack, topic):
    producer, future = _undeliverable(KafkaProducer, stack, topic)
    producer.commit_transaction()
    assert isinstance(future.exception, KafkaTimeoutError)
    end_producer(producer, 5)


@pytest.mark.stack
def test_nothing_is_committed_without_a_record_that_was_not_delivered(stack, topic):
    producer, future = _undeliverable(BoundedProducer, stack, topic)
    with pytest.raises(Fenced, match=f"records of a transaction of {topic} were not acknowledged"):
        producer.commit_transaction()
    assert isinstance(future.exception, KafkaTimeoutError)
    producer.end(5)


@pytest.mark.parametrize(
    ("refused", "raised"), [(MessageSizeTooLargeError, MessageSizeTooLargeError), (KafkaTimeoutError, Fenced)]
)
def test_a_record_that_was_refused_is_raised_before_the_commit_is_sent(refused, raised):
    producer = BoundedProducer.__new__(BoundedProducer)
    steps = []
    done, failed = FutureProduceResult(PARTITIONS[0]), FutureProduceResult(PARTITIONS[1])
    producer.__dict__.update(
        _closed=True,
        config={"delivery_timeout_ms": 10, "transactional_id": "t", "request_timeout_ms": 10},
        flush=lambda timeout: steps.append("flush"),
        _refusal=None,
        _sent=[FutureRecordMetadata(each, 0, None, None, 1, 1, 1) for each in (done, failed)],
        _transaction_manager=SimpleNamespace(begin_commit=lambda: steps.append("commit")),
    )
    done.success((0, -1, None))
    failed.failure(refused())
    with pytest.raises(raised):
        producer.commit_transaction()
    assert steps == ["flush"]


def test_what_the_broker_answered_stands_in_the_message():
    producer = BoundedProducer.__new__(BoundedProducer)
    late = FutureProduceResult(PARTITIONS[0])
    producer.__dict__.update(
        _closed=True,
        _refusal=None,
        config={"delivery_timeout_ms": 10, "transactional_id": "t"},
        flush=lambda timeout: None,
        _sent=[FutureRecordMetadata(late, 0, None, None, 1, 1, 1)],
        _sender=SimpleNamespace(_can_retry=lambda batch, error: True),
    )
    producer._note_refusals()
    assert producer._sender._can_retry(None, NotEnoughReplicasError)
    late.failure(KafkaTimeoutError("10 ms has passed"))
    with pytest.raises(Fenced, match=r"10 ms .* NotEnoughReplicasError: fewer replicas are in sync than min.insync"):
        producer._require_delivery()


def test_a_producer_that_could_not_send_ends_its_thread_all_the_same():
    ended = []

    class Unsent:
        _sender = SimpleNamespace(force_close=lambda: ended.append("thread"))

        def close(self, timeout):
            raise KafkaTimeoutError(f"not sent in {timeout} s")

    end_producer(Unsent(), 1)
    assert ended == ["thread"]
