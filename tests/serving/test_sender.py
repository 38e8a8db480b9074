"""The sender on a producer that answers when the test says so: nothing twice, and a new one after a fatal failure."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kafka.errors import ClusterAuthorizationFailedError, KafkaTimeoutError, OutOfOrderSequenceNumberError
from kafka.future import Future

from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.schemas.enriched import document_id
from triage.serving import sender as module
from triage.serving.sender import Outgoing, Sender
from triage.topics.definitions import RAW_TOPICS
from triage.types import Channel


class Producer:
    """Keeps what it is given; `outcome` is True, an error of Kafka, an error to raise at once, or None: no answer."""

    def __init__(self, outcome):
        self.outcome, self.sent, self.futures, self.closed = outcome, [], [], None
        self.keys = []
        self.asked = threading.Event()

    def send(self, topic, value, key, headers):
        if isinstance(self.outcome, ValueError):
            raise self.outcome
        self.sent.append(value)
        self.keys.append(key)
        future = Future()
        self.futures.append(future)
        if self.outcome is not None:
            self.answer(future, self.outcome)
        self.asked.set()
        return future

    def answer(self, future, outcome):
        future.success(None) if outcome is True else future.failure(outcome)

    def close(self, timeout):
        self.closed = timeout


@pytest.fixture
def make(monkeypatch):
    """A sender and the producers it makes, one for each outcome."""

    def made(*outcomes):
        producers, outcomes = [], iter(outcomes)

        def producer(*_):
            producers.append(Producer(next(outcomes)))
            return producers[-1]

        monkeypatch.setattr(module, "make_producer", producer)
        monkeypatch.setattr(module, "require_topics", lambda _, names: dict.fromkeys(names, 10_000))
        assert set(RAW_TOPICS) == set(Channel)
        return Sender(KafkaSettings(), remember=3), producers

    return made


def one(identity, text=b"x"):
    return Outgoing(Channel.REVIEW, identity, None, text)


def test_the_same_record_twice_in_one_request_is_sent_once(make):
    sender, producers = make(True)
    assert sender.send([one("a"), one("b"), one("a"), one("a", b"changed")]) == [True, True, False, True]
    assert producers[0].sent == [b"x", b"x", b"changed"]
    assert sender.send([one("b")]) == [False]


def test_a_retry_waits_for_what_is_on_its_way(make):
    sender, producers = make(None)
    assert sender.send([]) == []
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sender.send, [one("a")])
        assert producers[0].asked.wait(10)
        second = pool.submit(sender.send, [one("a")])
        producers[0].answer(producers[0].futures[0], True)
        assert (first.result(10), second.result(10)) == ([True], [False])
    assert producers[0].sent == [b"x"]


def test_a_retry_after_the_wait_was_given_up_is_not_sent_again_either(make, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.01)
    sender, producers = make(None)
    for _ in range(2):
        with pytest.raises(Unavailable, match="no acknowledgement"):
            sender.send([one("a")])
    producers[0].answer(producers[0].futures[0], True)
    assert sender.send([one("a")]) == [False]
    assert producers[0].sent == [b"x"]


def test_what_failed_is_sent_again_by_the_same_producer_if_it_can_go_on(make):
    sender, producers = make(KafkaTimeoutError("too slow"))
    with pytest.raises(Unavailable, match="too slow"):
        sender.send([one("a")])
    producers[0].outcome = True
    assert sender.send([one("a")]) == [True]
    assert (len(producers), producers[0].closed) == (1, None)


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumberError(), ClusterAuthorizationFailedError()])
def test_after_a_fatal_failure_there_is_a_new_producer(make, error):
    sender, producers = make(error, True)
    with pytest.raises(Unavailable):
        sender.send([one("a"), one("b")])
    assert producers[0].closed == 0
    assert sender.send([one("a"), one("b")]) == [True, True]
    assert producers[1].sent == [b"x", b"x"]


def test_what_a_producer_that_was_put_away_had_in_hand_is_sent_again(make, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.01)
    sender, producers = make(None, True)
    with pytest.raises(Unavailable):
        sender.send([one("a")])
    producers[0].outcome = OutOfOrderSequenceNumberError()
    with pytest.raises(Unavailable):
        sender.send([one("b")])
    assert sender.send([one("a")]) == [True]


def test_a_record_that_the_producer_refuses_is_not_taken_for_one_on_its_way(make):
    sender, producers = make(ValueError("not thought of"))
    for _ in range(2):
        with pytest.raises(ValueError, match="not thought of"):
            sender.send([one("a")])
    producers[0].outcome = True
    assert sender.send([one("a")]) == [True]


def test_a_producer_is_ended_though_it_cannot_send_the_rest(make):
    sender, producers = make(True)
    sender.send([one("a")])
    ended = []

    class Rest:
        force_close = staticmethod(lambda: ended.append(True))

    def close(timeout):
        raise KafkaTimeoutError

    producers[0].close, producers[0]._sender = close, Rest
    sender.close()
    assert ended == [True]


def test_the_key_is_the_document_that_the_record_becomes(make):
    sender, producers = make(True)
    sender.send(
        [Outgoing(Channel.REVIEW, "1", "desk", b"{}"), Outgoing(Channel.REVIEW, "1", "desk", b'{"text": "new"}')]
    )
    assert producers[0].keys == [document_id(Channel.REVIEW, "desk", "1", None).encode()] * 2
