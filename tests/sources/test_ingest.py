"""The ingest loop and its account of what was delivered, on a producer that answers when the test says so."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import ManualClock
from triage.errors import InvalidRecord, SourceError, Unavailable
from triage.schemas.enriched import document_id
from triage.schemas.raw import RawRecord
from triage.sources.delivery import Delivery
from triage.sources.ingest import ingest
from triage.sources.rows import Row
from triage.types import Channel

TOPICS = {Channel.COMPLAINT: "p.complaints", Channel.REVIEW: "p.reviews", Channel.SOCIAL: "p.social"}


class _Sent:
    """The future of one record, answered by the test."""

    def __init__(self):
        self.done, self.failed, self.outcome = None, None, None

    def add_callback(self, call):
        self.done = call
        if self.outcome is True:
            call(None)

    def add_errback(self, call):
        self.failed = call
        if isinstance(self.outcome, Exception):
            call(self.outcome)

    def answer(self, outcome):
        self.outcome = outcome
        if outcome is True:
            self.done(None)
        else:
            self.failed(outcome)


class _Broker:
    """Keeps what is sent; `outcome(index)` is True, an error, or None for an answer that is yet to come."""

    def __init__(self, outcome=lambda index: True):
        self.outcome = outcome
        self.sent, self.keys = [], []
        self.futures = []

    def send(self, topic, value, key=None):
        outcome = self.outcome(len(self.sent))
        if isinstance(outcome, _Raised):
            raise outcome.error
        self.sent.append((topic, value))
        self.keys.append(key)
        future = _Sent()
        future.outcome = outcome
        self.futures.append(future)
        return future

    def flush(self, timeout):
        self.flushed = timeout


class _Raised:
    def __init__(self, error):
        self.error = error


def _row(line, channel=Channel.COMPLAINT, payload=b'{"text":"a"}'):
    return Row("f.jsonl", line, channel, RawRecord(text="a"), payload=payload)


def _refused(line):
    return Row("f.jsonl", line, Channel.COMPLAINT, error=InvalidRecord("bad", f"bad {line}"))


def _delivery(broker, **options):
    return Delivery(broker, TOPICS, translate=lambda error: Unavailable("kafka", str(error)), **options)


def _ingest(rows, delivery, clock, **options):
    said = []
    account = ingest(
        rows, delivery, clock=clock, on_refused=lambda row, error: said.append(f"{row.line}: {error}"), **options
    )
    if delivery is not None:
        delivery.finish(1)
    return account, said


def test_valid_rows_go_to_their_topics_and_refused_ones_are_told(clock):
    broker = _Broker()
    delivery = _delivery(broker, clock=clock)
    rows = [_row(1), _refused(2), _row(3, Channel.REVIEW), _row(4, Channel.SOCIAL, b"s")]
    account, said = _ingest(rows, delivery, clock)
    assert broker.sent == [("p.complaints", b'{"text":"a"}'), ("p.reviews", b'{"text":"a"}'), ("p.social", b"s")]
    assert said == ["2: bad 2"]
    assert (account.rows, account.refused, account.last) == (4, 1, ("f.jsonl", 4))
    assert account.accepted == delivery.acknowledged == dict.fromkeys(Channel, 1)
    assert delivery.failure is None
    assert delivery.resume is None


def test_a_dry_run_sends_nothing(clock):
    account, said = _ingest([_row(1), _refused(2)], None, clock)
    assert (account.accepted.total(), account.refused, said) == (1, 1, ["2: bad 2"])


def test_skip_and_limit_count_rows_refused_or_not(clock):
    broker = _Broker()
    rows = [_row(1), _refused(2), _refused(3), _row(4), _row(5), _row(6)]
    account, said = _ingest(rows, _delivery(broker, clock=clock, rows_before=2), clock, skip=2, limit=3)
    assert account.rows == 3
    assert said == ["3: bad 3"]
    assert len(broker.sent) == 2
    assert account.last == ("f.jsonl", 5)


def test_a_record_beyond_its_topics_limit_is_refused(clock):
    broker = _Broker()
    limits = dict.fromkeys(Channel, 1_000)
    rows = [_row(1, payload=b"x" * 744), _row(2, payload=b"x" * 745)]
    account, said = _ingest(rows, _delivery(broker, clock=clock), clock, max_bytes=limits)
    assert said == ["2: the record has 745 bytes; its topic takes at most 744"]
    assert (account.refused, len(broker.sent)) == (1, 1)


def test_a_failure_stops_and_names_the_first_row_that_is_not_acknowledged(clock):
    broker = _Broker(lambda index: ConnectionError("gone") if index == 2 else True)
    delivery = _delivery(broker, clock=clock, rows_before=10)
    rows = [_row(1), _refused(2), _row(3), _row(4), _row(5), _row(6)]
    account, _ = _ingest(rows, delivery, clock)
    assert len(broker.sent) == 3
    assert isinstance(delivery.failure, Unavailable)
    assert "gone" in str(delivery.failure)
    assert delivery.resume == (13, "f.jsonl", 4)
    assert delivery.acknowledged.total() == 2
    assert account.rows == 4


def test_rows_acknowledged_behind_a_failed_one_do_not_move_the_place_to_resume(clock):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=clock)
    for line in (1, 2, 3):
        assert delivery.send(_row(line))
    broker.futures[0].answer(True)
    broker.futures[2].answer(True)
    broker.futures[1].answer(TimeoutError("expired"))
    delivery.finish(1)
    assert delivery.acknowledged.total() == 2
    assert delivery.resume == (1, "f.jsonl", 2)
    assert not delivery.send(_row(4)), "nothing more is taken after a failure"


def test_an_error_of_send_itself_is_a_failure_at_that_row(clock):
    broker = _Broker(lambda index: _Raised(RuntimeError("no metadata")) if index == 1 else True)
    delivery = _delivery(broker, clock=clock)
    account, _ = _ingest([_row(1), _row(2), _row(3)], delivery, clock)
    assert account.rows == 1
    assert delivery.resume == (1, "f.jsonl", 2)
    assert "no metadata" in str(delivery.failure)


def test_what_is_never_answered_is_not_taken_for_delivered(clock):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=clock)
    _ingest([_row(1), _row(2)], delivery, clock)
    assert "2 records were not acknowledged" in str(delivery.failure)
    assert delivery.resume == (0, "f.jsonl", 1)


@pytest.mark.parametrize("bound", [{"max_records": 2}, {"max_bytes": 24}])
def test_no_more_than_the_bound_is_in_flight(clock, bound):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=clock, **bound)
    assert delivery.send(_row(1))
    assert delivery.send(_row(2))
    third = threading.Thread(target=delivery.send, args=(_row(3),), daemon=True)
    third.start()
    third.join(0.05)
    assert third.is_alive()
    assert len(broker.sent) == 2
    for future in broker.futures[:2]:
        future.answer(True)
    third.join(5)
    assert len(broker.sent) == 3


def test_a_record_larger_than_the_bound_still_goes_alone(clock):
    broker = _Broker()
    assert _delivery(broker, clock=clock, max_bytes=5).send(_row(1))
    assert len(broker.sent) == 1


def test_a_failure_ends_the_wait_for_room(clock):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=clock, max_records=1)
    assert delivery.send(_row(1))
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(delivery.send(_row(2))), daemon=True)
    waiting.start()
    broker.futures[0].answer(ConnectionError("gone"))
    waiting.join(5)
    assert answers == [False]


def test_stop_ends_the_loop_and_a_wait(clock):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=clock, max_records=1, stop=lambda: len(broker.sent) == 1)
    account, _ = _ingest([_row(1), _row(2)], delivery, clock)
    assert account.rows == 1
    stopped = iter([False, False, True])
    account, _ = _ingest([_row(line) for line in range(9)], None, clock, stop=lambda: next(stopped))
    assert account.rows == 2


def test_an_error_of_the_source_keeps_what_came_before(clock):
    def rows():
        yield _row(1)
        raise SourceError("f.jsonl: damaged")

    broker = _Broker()
    delivery = _delivery(broker, clock=clock)
    account, _ = _ingest(rows(), delivery, clock)
    assert str(account.error) == "f.jsonl: damaged"
    assert delivery.acknowledged.total() == 1
    assert delivery.failure is None


def test_rate_spreads_rows_and_does_not_make_up_for_a_stall():
    clock = ManualClock(0)
    times = []

    def rows():
        for line in range(1, 31):
            if line == 11:
                clock.advance(100)
            yield _row(line)

    ingest(
        rows(),
        None,
        clock=clock,
        on_refused=lambda row, error: None,
        on_row=lambda account: times.append(clock.monotonic()),
        rate=10,
    )
    assert times[9] == pytest.approx(0.9)
    assert times[10] == pytest.approx(100.9)
    assert times[29] - times[10] == pytest.approx(1.6), "19 rows: 0.2 s of them at once, the rest at their pace"


@given(st.lists(st.sampled_from(["ok", "refused", "never"]), max_size=30), st.permutations(range(30)))
def test_resume_is_the_first_unanswered_row_whatever_the_order_of_answers(kinds, order):
    broker = _Broker(lambda index: None)
    delivery = _delivery(broker, clock=ManualClock(0))
    futures = {}
    for number, kind in enumerate(kinds):
        if kind == "refused":
            delivery.refused()
        else:
            delivery.send(_row(number + 1))
            futures[number] = broker.futures[-1]
    for number in order:
        if number in futures and kinds[number] == "ok":
            futures[number].answer(True)
    expected = kinds.index("never") if "never" in kinds else None
    assert (delivery.resume and delivery.resume.rows_before) == expected
    assert delivery.acknowledged.total() == kinds.count("ok")


def test_versions_of_a_record_have_the_key_of_its_document_and_records_without_id_none():
    broker = _Broker()
    delivery = Delivery(broker, TOPICS, translate=lambda error: error, clock=ManualClock(0))
    rows = [RawRecord(text="a", id="1", source="desk"), RawRecord(text="b", id="1", source="desk"), RawRecord(text="c")]
    for line, record in enumerate(rows):
        assert delivery.send(Row("f", line, Channel.COMPLAINT, record, payload=b"{}"))
    key = document_id(Channel.COMPLAINT, "desk", "1", None).encode()
    assert broker.keys == [key, key, None]
