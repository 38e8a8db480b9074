"""Committed records after an open transaction are waited for, with a limit."""

import time
from types import SimpleNamespace

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import TransactionState

from triage.clock import ManualClock
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.topics import apply_topics
from triage.topics.open_transactions import wait_for_open_transactions, wait_for_transactions_of
from triage.topics.scan import TopicScan

pytestmark = pytest.mark.stack


class Ending(ManualClock):
    """Calls `at_third` when it is slept on for the third time, and gives the broker real time from then on."""

    def __init__(self, at_third=None):
        super().__init__()
        self._at_third = at_third
        self.sleeps = 0

    def sleep(self, seconds):
        self.sleeps += 1
        self.advance(seconds)
        if self._at_third and self.sleeps == 3:
            self._at_third()
        if self._at_third and self.sleeps >= 3:
            time.sleep(0.05)


@pytest.fixture
def place(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)
    apply_topics(settings)
    return TopicPartition(settings.topic("window-counts"), 0)


@pytest.fixture
def held(stack, prefix, place):
    """A producer with an open transaction there, and a committed record of another after it."""
    producers = []
    for name in "ab":
        producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers, transactional_id=f"{prefix}-{name}")
        producers.append(producer)
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(place.topic, value=name.encode(), partition=0).get(30)
    producers[1].commit_transaction()
    yield producers[0]
    for producer in producers:
        producer.close()


@pytest.fixture
def scan(stack):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, request_timeout_ms=10_000)
    with TopicScan(settings, "test") as found:
        yield found


def _values(scan, place):
    return [record.value for records in scan.read(scan.ranges([place])) for record in records]


def test_what_stands_behind_an_open_transaction_can_be_read_after_the_wait(scan, stack, held, place):
    assert _values(scan, place) == []
    clock = Ending(held.abort_transaction)
    wait_for_open_transactions(scan, KafkaSettings(bootstrap_servers=stack.bootstrap_servers), [place], 60, clock)
    # Or more often: a real broker answers the abort before its marker is written.
    assert clock.sleeps >= 3
    assert _values(scan, place) == [b"b"]


def test_the_wait_ends_and_names_the_place(scan, stack, held, place):
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
    with pytest.raises(Unavailable, match=rf"a transaction on {place.topic}/0 has been open for 2 s.*run this again"):
        wait_for_open_transactions(scan, kafka, [place], 2, Ending())


def test_without_an_open_transaction_nothing_is_waited_for(scan, stack, held, place):
    held.commit_transaction()
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
    # A real broker answers the commit before its marker is written.
    wait_for_open_transactions(scan, kafka, [place], 30)
    clock = Ending()
    wait_for_open_transactions(scan, kafka, [place], 10, clock)
    wait_for_open_transactions(scan, kafka, [], 10, clock)
    assert clock.sleeps == 0


class Fleet:
    """The transactions of a fleet, each with its begin in ms; `ends` maps a number of questions to what is new then."""

    def __init__(self, begun, ends=None):
        self.begun, self.ends, self.asked = dict(begun), ends or {}, 0

    def list_transactions(self):
        listed = [
            SimpleNamespace(transactional_id=name, state=TransactionState.ONGOING if begun else TransactionState.EMPTY)
            for name, begun in self.begun.items()
        ]
        return {1: listed[:1], 2: listed[1:]}

    def describe_transactions(self, names):
        self.asked += 1
        self.begun |= self.ends.get(self.asked, {})
        return {
            name: SimpleNamespace(
                transaction_start_time_ms=begun or -1,
                state=TransactionState.PREPARE_COMMIT if begun else TransactionState.COMPLETE_COMMIT,
            )
            for name in names
            if (begun := self.begun[name]) is not None
        }


def test_transactions_that_are_open_now_are_waited_for_and_no_later_ones():
    fleet = Fleet({"w-a": 10, "w-b": 20, "w-skip": 5, "x-a": 5, "w-idle": 0}, {2: {"w-b": 30}, 4: {"w-a": 0}})
    wait_for_transactions_of(fleet, "w-", 5, except_for="w-skip", clock=ManualClock())
    assert fleet.asked == 4


def test_one_that_stays_open_is_named():
    fleet, clock = Fleet({"w-a": 10}), ManualClock()
    with pytest.raises(Unavailable, match="transactions of w-a are open for 5 s"):
        wait_for_transactions_of(fleet, "w-", 5, except_for="w-skip", clock=clock)
    assert 5 <= clock.monotonic() < 5.2
