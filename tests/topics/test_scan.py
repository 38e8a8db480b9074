"""Reading ranges of topics: Kafka's silence is counted, and nothing else."""

import contextlib
from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from triage.clock import ManualClock
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.topics import scan as module
from triage.topics.scan import TopicScan

PLACE = TopicPartition("t", 0)


OTHER = TopicPartition("t", 1)


class Consumer:
    """Gives one record a poll, each after some polls without any. `OTHER` has no leader for its first `leaderless`
    questions, which kafka-python answers like this."""

    leaderless = 0

    def __init__(self, records, empty_polls):
        self._left, self._empty_polls = list(range(records)), empty_polls
        self._at, self._polls = 0, 0

    def assign(self, _): ...

    def resume(self, *_): ...

    def pause(self, *_): ...

    def seek(self, *_): ...

    def position(self, _):
        return self._at

    def _leads(self, partition):
        self.leaderless -= partition == OTHER
        return partition != OTHER or self.leaderless < 0

    def _offsets(self, partitions, offset):
        found = dict.fromkeys((each for each in partitions if self._leads(each)), offset)
        return {each: found[each] for each in partitions}

    def beginning_offsets(self, partitions):
        return self._offsets(partitions, 2)

    def end_offsets(self, partitions):
        return self._offsets(partitions, 9)

    def offsets_for_times(self, times):
        led = {each for each in times if self._leads(each)} or times.keys()
        return {each: SimpleNamespace(offset=5) if each in led else None for each in times}

    def poll(self, **_):
        self._polls += 1
        if not self._left or self._polls % (self._empty_polls + 1):
            return {}
        self._at = self._left.pop(0) + 1
        return {PLACE: [SimpleNamespace(offset=self._at - 1)]}


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def scan_of(monkeypatch, clock):
    def make(records, empty_polls=3, refusals=0, timeout_s=None):
        made = []

        def consumer(**_):
            made.append(1)
            if len(made) <= refusals:
                raise KafkaConnectionError("node 2 was disconnected")
            return Consumer(records, empty_polls)

        monkeypatch.setattr(module, "SystemClock", lambda: clock)
        monkeypatch.setattr(module, "wait_for_kafka", lambda _, timeout_s: None)
        monkeypatch.setattr(module, "closing_on_failure", contextlib.nullcontext)
        monkeypatch.setattr(module, "stop_at_unreadable", lambda *_: None)
        monkeypatch.setattr(module, "KafkaConsumer", consumer)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep))
        return TopicScan(KafkaSettings(request_timeout_ms=5_000), "test", timeout_s=timeout_s)

    return make


def test_a_broker_that_goes_down_at_the_start_is_waited_for(scan_of):
    assert sum(len(records) for records in scan_of(3, refusals=2).read({PLACE: (0, 3)})) == 3
    with pytest.raises(Unavailable, match="node 2"):
        scan_of(3, refusals=1000)


def test_a_caller_may_take_its_time(scan_of, clock):
    seen = []
    for records in scan_of(3).read({PLACE: (0, 3)}):
        seen += [record.offset for record in records]
        clock.advance(60)
    assert seen == [0, 1, 2]


def test_a_silent_broker_is_not_waited_for_without_end(scan_of, clock):
    reading = scan_of(2).read({PLACE: (0, 3)})
    next(reading)
    next(reading)
    clock.advance(60)
    before = clock.monotonic()
    with pytest.raises(Unavailable, match="no more records came of t/0"):
        next(reading)
    assert 15 < clock.monotonic() - before < 16


def test_a_topic_that_not_every_broker_knows_yet_is_no_empty_one(scan_of, monkeypatch):
    scan, asked = scan_of(0), []
    monkeypatch.setattr(module, "require_topics", lambda _, names: asked.append(list(names)))
    monkeypatch.setattr(scan, "partitions", lambda topics: [PLACE] if len(asked) > 1 else [])
    with pytest.raises(Unavailable, match="exists, but not every broker knows of it yet"):
        scan.existing_partitions("t")
    assert scan.existing_partitions("t") == [PLACE]
    assert asked == [["t"], ["t"]]


@pytest.mark.parametrize("leaderless", [0, 1, 3])
def test_a_partition_without_a_leader_is_waited_for(scan_of, leaderless):
    scan = scan_of(0)
    scan.consumer.leaderless = leaderless
    assert scan.ranges([PLACE, OTHER]) == {PLACE: (2, 9), OTHER: (2, 9)}


def test_one_that_loses_its_leader_while_times_are_looked_up_is_not_taken_for_a_later_one(scan_of, monkeypatch):
    scan = scan_of(0)
    for ask in ("beginning_offsets", "end_offsets"):
        monkeypatch.setattr(
            scan.consumer, ask, lambda partitions, at=2 if ask[0] == "b" else 9: dict.fromkeys(partitions, at)
        )
    scan.consumer.leaderless = 1
    assert scan.ranges([PLACE, OTHER], from_ms=1_000) == {PLACE: (5, 9), OTHER: (5, 9)}


def test_one_that_has_none_for_good_is_named(scan_of):
    scan = scan_of(0)
    scan.consumer.leaderless = 1_000_000
    with pytest.raises(Unavailable, match=r"no broker leads t/1$"):
        scan.ranges([PLACE, OTHER])


@pytest.mark.parametrize("times", [None, 1_000])
def test_a_leader_that_froze_is_asked_for_until_another_leads(scan_of, clock, monkeypatch, times):
    scan = scan_of(0)
    for name in ("beginning_offsets", "end_offsets", "offsets_for_times"):
        ask, waited = getattr(scan.consumer, name), []

        def frozen(asked, ask=ask, waited=waited):
            if len(waited) < 2:
                waited.append(clock.sleep(5))
                raise KafkaTimeoutError("Failed to get offsets by timestamps in 5000 ms")
            return ask(asked)

        monkeypatch.setattr(scan.consumer, name, frozen)
    assert scan.ranges([PLACE, OTHER], times)[PLACE] == ((5, 9) if times else (2, 9))


@pytest.mark.parametrize(("timeout_s", "patience_s"), [(None, 15), (0, 5)])
def test_one_that_stays_frozen_is_reported_in_bounded_time(scan_of, clock, monkeypatch, timeout_s, patience_s):
    scan = scan_of(0, timeout_s=timeout_s)

    def frozen(_):
        clock.sleep(5)
        raise KafkaTimeoutError("Failed to get offsets by timestamps in 5000 ms")

    monkeypatch.setattr(scan.consumer, "beginning_offsets", frozen)
    before = clock.monotonic()
    with pytest.raises(Unavailable, match="Failed to get offsets"):
        scan.ranges([PLACE])
    assert clock.monotonic() - before == patience_s


def test_records_may_come_as_late_as_from_the_successor_of_a_frozen_leader(scan_of, clock, monkeypatch):
    scan = scan_of(1)
    poll, waited = scan.consumer.poll, []

    def frozen(**options):
        if len(waited) < 2:
            waited.append(clock.sleep(5))
            return {}
        return poll(**options)

    monkeypatch.setattr(scan.consumer, "poll", frozen)
    assert [record.offset for record in next(scan.read({PLACE: (0, 1)}))] == [0]
