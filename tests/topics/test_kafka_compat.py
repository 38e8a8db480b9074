"""Workarounds for kafka-python: a test called `test_the_library_...` fails once the library is fixed."""

import gc
import json
import logging
import socket
import threading
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import kafka
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import (
    CorruptRecordError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
)
from kafka.net.compat import KafkaNetClient
from kafka.producer.future import FutureProduceResult, FutureRecordMetadata
from kafka.producer.sender import Sender
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords

from triage.config import load_settings
from triage.errors import Fenced
from triage.topics import apply_topics
from triage.topics.kafka_compat import (
    REVIEWED,
    BoundedProducer,
    CooperativeConsumer,
    CoordinatorSeekingClient,
    _quiet,
    broker_count,
    closing_on_failure,
    end_producer,
    known_offsets,
    read_any_header_names,
    read_fairly,
    report_resets,
)

FILES = Path("/proc/self/fd")
PARTITIONS = [TopicPartition("t", number) for number in range(3)]
# A header name, and bytes of the same length that are not UTF-8.
NAME, BYTES = "header-name", b"h\xff\xfeder-n\x80me"
EACH = 100


def test_the_workarounds_were_reviewed_for_the_installed_version():
    assert kafka.__version__.startswith(f"{REVIEWED}."), "review triage/topics/kafka_compat.py, then change REVIEWED"


# Clients that never reach a broker.


@pytest.fixture
def mute():
    """Address of a server that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _held():
    return threading.active_count(), sum(1 for _ in FILES.iterdir())


def _grown(before):
    """Fewer is no leak: something of an earlier test may have ended."""
    return any(now > was for now, was in zip(_held(), before, strict=True))


def _plain(**configs):
    with closing_on_failure() as client:
        return KafkaConsumer(kafka_client=client, **configs)


@pytest.mark.skipif(not FILES.is_dir(), reason="counts open files in /proc")
@pytest.mark.parametrize(
    "make",
    [_plain, lambda **configs: CooperativeConsumer(group_id="g", **configs), BoundedProducer],
    ids=["consumer", "member", "producer"],
)
def test_a_client_that_reaches_no_broker_leaves_nothing_behind(mute, make):
    # What earlier tests left to the collector must not go in between.
    gc.collect()
    before = _held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            make(bootstrap_servers=mute, bootstrap_timeout_ms=150)
    until = time.monotonic() + 30
    while _grown(before) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _grown(before), f"{before} became {_held()}"


def test_the_library_leaves_a_thread_behind(mute):
    made = []

    def client(**configs):
        made.append(kafka.net.compat.KafkaNetClient(**configs))
        return made[-1]

    with pytest.raises(KafkaError):
        KafkaConsumer(kafka_client=client, client_id="left", bootstrap_servers=mute, bootstrap_timeout_ms=150)
    try:
        assert "kafka-io-left" in [thread.name for thread in threading.enumerate()]
    finally:
        made[0].close()


def test_probes_of_several_threads_are_quiet_and_none_waits_for_another():
    logger = logging.getLogger("kafka")
    inside, leave = threading.Barrier(3), threading.Event()

    def probe():
        with _quiet:
            inside.wait(10)
            leave.wait(10)

    before = logger.level
    threads = [threading.Thread(target=probe) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    assert not logger.isEnabledFor(logging.CRITICAL)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert logger.level == before


# Header names that are not UTF-8.


@pytest.fixture
def strict(monkeypatch):
    """The library as it comes."""
    monkeypatch.setattr(memory_records, "DefaultRecordBatch", DefaultRecordBatch)


@pytest.fixture
def lenient(strict):
    read_any_header_names()


def _batch(compression):
    """Three records as a broker sends them; the one in the middle has the name that is not UTF-8."""
    builder = DefaultRecordBatchBuilder(2, compression, False, -1, -1, -1, 1 << 20)
    for number in range(3):
        headers = [(NAME, b"v"), ("plain", None)] if number == 1 else [("plain", b"w")]
        builder.append(number, 1_000, None, b"value-%d" % number, headers)
    assert builder._buffer.count(NAME.encode()) == 1
    builder._buffer = builder._buffer.replace(NAME.encode(), BYTES)
    return MemoryRecords(bytes(builder.build())).next_batch()


@pytest.mark.parametrize("compression", [0, DefaultRecordBatchBuilder.CODEC_GZIP])
def test_a_record_with_such_a_name_and_its_neighbours_are_read(compression, lenient):
    found = list(_batch(compression))
    assert [record.value for record in found] == [b"value-0", b"value-1", b"value-2"]
    assert found[1].headers == [("h\ufffd\ufffdder-n\ufffdme", b"v"), ("plain", None)]
    assert found[2].headers == [("plain", b"w")]


def test_the_library_fails_on_such_a_name(strict):
    with pytest.raises(CorruptRecordError, match="UnicodeDecodeError"):
        list(_batch(0))


@pytest.mark.stack
def test_a_broker_takes_such_names_and_a_consumer_reads_past_them(stack, prefix, monkeypatch, lenient):
    settings = load_settings(None, {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix})
    apply_topics(settings.kafka)
    build = DefaultRecordBatchBuilder.build

    def with_bytes(self):
        self._buffer = self._buffer.replace(NAME.encode(), BYTES)
        return build(self)

    monkeypatch.setattr(DefaultRecordBatchBuilder, "build", with_bytes)
    where = TopicPartition(settings.kafka.topic("complaints"), 0)
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number, name in enumerate(["plain", NAME, "plain"]):
        producer.send(where.topic, b"%d" % number, partition=0, headers=[(name, b"v")])
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest")
    consumer.assign([where])
    found = []
    for _ in range(50):
        found += [record for records in consumer.poll(timeout_ms=200).values() for record in records]
        if len(found) == 3:
            break
    consumer.close()
    assert [(record.value, record.headers[0][0]) for record in found] == [
        (b"0", "plain"),
        (b"1", "h\ufffd\ufffdder-n\ufffdme"),
        (b"2", "plain"),
    ]


def _unconnected(**attributes):
    """A producer without a broker, as far as the test needs it."""
    producer = KafkaProducer.__new__(KafkaProducer)
    producer.__dict__.update(_closed=True, config={"api_version": (4, 0), "request_timeout_ms": 10}, **attributes)
    return producer


def test_the_library_sends_no_null_header():
    producer = _unconnected()
    producer._closed = False
    with pytest.raises(TypeError, match="str, bytes"):
        producer.send("t", b"value", headers=[("trace", None)])
    producer._closed = True


# Offsets while partitions have no leader.


def _ask(*led):
    """As the library answers: a KeyError for the first partition that it left out of its request."""

    def ask(partitions):
        found = {each: each.partition for each in partitions if each.partition in led}
        return {each: found[each] for each in partitions}

    return ask


@pytest.mark.parametrize("led", [(0, 1, 2), (1,), ()])
def test_partitions_without_a_leader_are_left_out(led):
    assert known_offsets(_ask(*led), PARTITIONS) == {PARTITIONS[number]: number for number in led}


def test_another_error_is_not_swallowed():
    def ask(_):
        raise KeyError("something else")

    with pytest.raises(KeyError, match="something else"):
        known_offsets(ask, PARTITIONS)


def test_a_broker_that_knows_only_the_first_describe_cluster_has_no_count():
    def describe_cluster():
        raise KeyError("endpoint_type")

    assert broker_count(SimpleNamespace(describe_cluster=describe_cluster)) is None
    assert broker_count(SimpleNamespace(describe_cluster=lambda: {"brokers": [{}, {}]})) == 2


# Transactions.


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
    _unconnected(_transaction_manager=manager, _sender=SimpleNamespace(wakeup=lambda: None)).commit_transaction()
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


# Fetched records of paused partitions.


@pytest.fixture
def topic(stack):
    """A topic with `EACH` records in each of two partitions."""
    name = f"parked-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number in range(2 * EACH):
        producer.send(name, value=json.dumps(number).encode(), partition=number % 2)
    producer.flush()
    producer.close()
    yield name
    admin.delete_topics([name])
    admin.close()


def _read(poll, counts, until_s, enough=2 * EACH):
    """Poll until `enough` records were read in all, or for so long."""
    until = time.monotonic() + until_s
    while sum(counts.values()) < enough and time.monotonic() < until:
        for partition, records in poll().items():
            counts[partition] = counts.get(partition, 0) + len(records)
    return counts


@pytest.mark.stack
def test_the_library_forgets_a_partition_paused_in_mid_fetch_once_another_was_read(stack, topic):
    """Decision 8. Where this fails the library is mended, and waiting can be pause, poll and resume again."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        counts = _read(lambda: consumer.poll(timeout_ms=200, max_records=10), {}, 20, enough=10)
        (begun,) = counts
        consumer.pause(begun)
        _read(lambda: consumer.poll(timeout_ms=200), counts, 20, enough=10 + EACH)
        consumer.resume(begun)
        _read(lambda: consumer.poll(timeout_ms=200), counts, 2)
        assert counts[begun] == 10
    finally:
        consumer.close(autocommit=False)


@pytest.mark.stack
def test_attending_in_mid_fetch_forgets_nothing(stack, topic):
    consumer = CooperativeConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=topic, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        counts = _read(lambda: consumer.records(10, 500), {}, 20, enough=10)
        for _ in range(5):
            consumer.attend(100)
        assert _read(lambda: consumer.records(500, 200), counts, 20) == {
            TopicPartition(topic, number): EACH for number in range(2)
        }
    finally:
        consumer.close(autocommit=False)


# Offsets that Kafka no longer has.


def test_the_offset_that_was_to_be_read_is_reported_before_it_is_reset():
    where, steps = TopicPartition("t", 0), []
    subscriptions = SimpleNamespace(
        assignment={where: SimpleNamespace(position=SimpleNamespace(offset=7))},
        request_offset_reset=lambda *given: steps.append(given),
    )
    report_resets(SimpleNamespace(_subscription=subscriptions), lambda *given: steps.append(given))
    subscriptions.request_offset_reset(where)
    subscriptions.assignment[where].position = None
    subscriptions.request_offset_reset(where, 1)
    assert steps == [(where, 7), (where,), (where, 1)]


@pytest.mark.stack
def test_a_consumer_that_retention_passed_says_what_it_was_to_read(stack, topic):
    where = TopicPartition(topic, 0)
    consumer = CooperativeConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=topic, auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    try:
        _read(lambda: consumer.poll(timeout_ms=200), {}, 20)
        admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
        admin.delete_records({where: 50})
        admin.close()
        consumer.seek(where, 3)
        until = time.monotonic() + 20
        while not (found := consumer.resets()) and time.monotonic() < until:
            consumer.poll(timeout_ms=200)
        assert found == {where: 3}
        assert consumer.position(where) >= 50
    finally:
        consumer.close(autocommit=False)


# One partition after the other.


@pytest.mark.stack
@pytest.mark.parametrize(("fair", "partitions"), [(False, 1), (True, 2)], ids=["library", "fair"])
def test_the_library_reads_one_partition_after_the_other(stack, topic, fair, partitions):
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        if fair:
            read_fairly(consumer, lambda _: 1)
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        found = _read(lambda: consumer.poll(timeout_ms=200, max_records=5), {}, 20, enough=20)
        assert len(found) == partitions
        _read(lambda: consumer.poll(timeout_ms=200, max_records=5), found, 20)
        assert set(found.values()) == {EACH}
    finally:
        consumer.close(autocommit=False)


# Batches that can't be read.


@pytest.mark.stack
def test_the_library_fails_at_a_batch_that_it_cannot_read(stack, topic, monkeypatch):
    """Its next poll would never return: what `stop_at_unreadable` does is in `test_unreadable_batch.py`."""

    def fail(_):
        raise CorruptRecordError("damaged")

    monkeypatch.setattr(DefaultRecordBatch, "_read_msg", fail)
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, 0)])
        with pytest.raises(CorruptRecordError):
            _read(lambda: consumer.poll(timeout_ms=200), {}, 20)
    finally:
        consumer.close(autocommit=False)
