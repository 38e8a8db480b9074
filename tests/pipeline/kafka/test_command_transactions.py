"""Transactions of commands: none waits without end, and a producer that is unusable is replaced."""

from types import SimpleNamespace

import pytest
from kafka.errors import InvalidProducerEpochError, KafkaError, KafkaTimeoutError, ProducerFencedError

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import DependencyError, Fenced, Unavailable
from triage.pipeline.kafka import command_transactions as transactions
from triage.pipeline.kafka.command_transactions import Transactions
from triage.topics import apply_topics
from triage.topics.kafka_compat import BoundedProducer


class Scripted(BoundedProducer):
    """Fails where it is told to; `fatal` is the state that kafka-python never leaves."""

    def __init__(self, commit=None, fatal=None, abort=None):
        self.commit, self.fatal, self.abort = commit, fatal, abort
        self.done = []
        self._transaction_manager = SimpleNamespace(last_error=fatal)

    def __del__(self):
        pass

    def init_transactions(self):
        self.done.append("init")

    def begin_transaction(self):
        if self.fatal:
            raise KafkaError(f"in an error state: {self.fatal}")
        self.done.append("begin")

    def commit_transaction(self):
        if self.commit:
            raise self.commit
        self.done.append("commit")

    def abort_transaction(self):
        if self.abort or self.fatal:
            raise self.abort or self.fatal
        self.done.append("abort")

    def end(self, timeout_s):
        self.done.append("end")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def begin(monkeypatch, clock):
    """Transactions over these producers, one after the other."""
    monkeypatch.setattr(transactions, "wait_for_kafka", lambda _, timeout_s: None)

    def build(*producers):
        left = iter(producers)
        made = []

        def make(**configs):
            made.append(configs)
            return next(left)

        found = Transactions(load_settings(None, {}), "replay", "triage replay", clock=clock, make=make)
        found.made = made
        return found

    return build


def _run(transactions, lasts_s=0.0, clock=None):
    with transactions.begin():
        if clock is not None:
            clock.advance(lasts_s)


def test_one_producer_serves_many_transactions(begin):
    producer = Scripted()
    found = begin(producer)
    for _ in range(2):
        _run(found)
    found.close()
    assert producer.done == ["init", "begin", "commit", "begin", "commit", "end"]
    assert found.made[0]["transactional_id"] == "triage-replay"
    assert Transactions.__init__.__kwdefaults__["make"] is BoundedProducer


def test_what_could_be_aborted_is_tried_again_on_the_same_producer(begin):
    producer = Scripted(commit=KafkaTimeoutError("slow"))
    found = begin(producer)
    with pytest.raises(Unavailable, match="triage replay: slow"):
        _run(found)
    producer.commit = None
    _run(found)
    assert producer.done == ["init", "begin", "abort", "begin", "commit"]


@pytest.mark.parametrize(
    "broken",
    [
        Scripted(commit=Fenced("no answer to a transaction in 30000 ms")),
        Scripted(commit=KafkaError("refused"), abort=KafkaError("in an error state")),
        Scripted(commit=KafkaError("refused"), abort=Fenced("no answer to a transaction in 30000 ms")),
        Scripted(fatal=KafkaError("unexpected")),
    ],
    ids=["unanswered", "not abortable", "abort unanswered", "fatal"],
)
def test_a_producer_that_is_done_for_is_replaced(begin, broken):
    fresh = Scripted()
    found = begin(broken, fresh)
    with pytest.raises(Unavailable, match="triage replay"):
        _run(found)
    assert broken.done[-1] == "end"
    _run(found)
    assert fresh.done == ["init", "begin", "commit"]


@pytest.mark.parametrize("error", [TypeError("All headers items must be (str, bytes)"), KeyboardInterrupt()])
def test_an_error_of_ours_within_it_leaves_no_transaction_open(begin, error):
    producer = Scripted()
    found = begin(producer)
    with pytest.raises(type(error)), found.begin():
        raise error
    _run(found)
    assert producer.done == ["init", "begin", "abort", "begin", "commit"]


def test_an_error_of_ours_where_nothing_can_be_aborted_any_more_costs_the_producer(begin):
    broken, fresh = Scripted(abort=KafkaError("in an error state")), Scripted()
    found = begin(broken, fresh)
    with pytest.raises(TypeError), found.begin():
        raise TypeError
    _run(found)
    assert broken.done == ["init", "begin", "end"]
    assert fresh.done == ["init", "begin", "commit"]


FENCINGS = [
    {"commit": ProducerFencedError()},
    {"commit": InvalidProducerEpochError()},
    {"fatal": ProducerFencedError()},
    {"commit": KafkaError("in an error state"), "fatal": None, "abort": None, "last": InvalidProducerEpochError()},
]


def _fenced(how):
    producer = Scripted(how.get("commit"), how.get("fatal"), how.get("abort"))
    if "last" in how:
        producer._transaction_manager.last_error = how["last"]
    return producer


@pytest.mark.parametrize("how", FENCINGS)
def test_another_process_of_the_same_id_ends_this_one(begin, how):
    found = begin(_fenced(how))
    with pytest.raises(DependencyError, match="another `triage replay` took over; run one at a time") as caught:
        _run(found)
    assert not caught.value.retriable


@pytest.mark.parametrize("how", [how for how in FENCINGS if "commit" in how])
def test_fenced_for_a_pause_longer_than_the_timeout_it_goes_on_with_another_producer(begin, clock, how):
    fresh = Scripted()
    found = begin(_fenced(how), fresh)
    with pytest.raises(Unavailable, match=r"took 12\.0 s, worker\.transaction_timeout_ms is 10000"):
        _run(found, 12, clock)
    _run(found)
    assert fresh.done == ["init", "begin", "commit"]


def test_a_producer_that_cannot_start_is_ended_and_another_one_started(begin):
    broken, fresh = Scripted(), Scripted()

    def slow():
        raise KafkaTimeoutError("no coordinator")

    broken.init_transactions = slow
    begin(broken, fresh)
    assert (broken.done, fresh.done) == (["end"], ["init"])


@pytest.mark.stack
def test_a_second_process_fences_the_first(stack, prefix):
    settings = load_settings(
        None, {"kafka.bootstrap_servers": stack.bootstrap_servers, "worker.fleet": prefix, "kafka.topic_prefix": prefix}
    )
    apply_topics(settings.kafka)
    topic = settings.kafka.topic("window-counts")
    first, second = (Transactions(settings, "replay", "triage replay") for _ in range(2))
    with pytest.raises(DependencyError, match="another `triage replay` took over"), first.begin() as producer:
        producer.send(topic, value=b"1").get(30)
    with second.begin() as producer:
        producer.send(topic, value=b"2").get(30)
    first.close()
    second.close()
