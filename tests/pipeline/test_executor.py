"""Two threads in a row: they overlap, keep the order, and let nothing past a batch that failed."""

import threading

import pytest

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import ModelError, Unavailable
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.executor import BatchAbandoned, StageExecutor
from triage.runtime.health import Health
from triage.types import Position


class Step:
    """A stage that does what it is told with each batch, named by its first offset."""

    def __init__(self, name, act=lambda offset: None):
        self.name, self.act, self.done = name, act, []

    def process(self, batch):
        offset = batch.incoming[0].position.offset
        self.act(offset)
        self.done.append(offset)


def batch(offset, count=1):
    return Batch([ConsumedMessage(Position("t", 0, n), 0, b"") for n in range(offset, offset + count)])


@pytest.fixture
def make():
    lines = []

    def make(work, store):
        clock, stopping = ManualClock(), threading.Event()
        line = StageExecutor([work], [store], load_settings().worker, clock, Metrics(), Health(clock), stopping)
        line.stopping = stopping
        lines.append(line)
        return line

    yield make
    for line in lines:
        line.abandon()
        line.join()
        assert not any(thread.is_alive() for thread in line._threads)


def take(line):
    while (journey := line.take()) is None:
        assert line.wait(30)
    return journey.batch.incoming[0].position.offset


def test_a_batch_is_worked_on_while_the_one_before_it_is_stored(make):
    second_worked = threading.Event()
    work = Step("work", lambda offset: second_worked.set() if offset == 1 else None)
    # The first store ends only once the second batch has been worked on: one after the other would stand still.
    store = Step("store", lambda offset: offset == 1 or second_worked.wait(30) or pytest.fail("no overlap"))
    line = make(work, store)
    line.put(batch(0))
    line.put(batch(1))
    assert [take(line), take(line)] == [0, 1]
    assert len(line) == 0


def test_batches_come_through_in_order(make):
    line = make(Step("work"), Step("store"))
    for offset in range(20):
        line.put(batch(offset))
    assert [take(line) for _ in range(20)] == list(range(20))


def held(make):
    """A line whose first batch is in work until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(offset):
        if offset == 0:
            begun.set()
            assert go_on.wait(30)

    line = make(Step("work", hold), Step("store"))
    line.put(batch(0))
    assert begun.wait(30)
    return line, go_on


def test_a_batch_that_waits_for_its_turn_is_topped_up_and_one_in_work_is_not(make):
    line, go_on = held(make)
    assert line.room(10) == 0
    assert line.top_up(batch(1).incoming, lambda messages: set()) == 0
    line.put(batch(1, 2))
    assert line.room(5) == 3
    assert line.room(1) == 0
    assert line.top_up(batch(3, 3).incoming, lambda messages: set()) == 3
    go_on.set()
    assert take(line) == 0
    while (journey := line.take()) is None:
        assert line.wait(30)
    assert [message.position.offset for message in journey.batch.incoming] == [1, 2, 3, 4, 5]


def test_old_records_of_a_partition_leave_before_new_ones_come(make):
    line, go_on = held(make)
    line.put(batch(1, 2))
    came_back = [ConsumedMessage(Position("t", 0, 1), 0, b"", (), epoch=1)]
    assert line.top_up(came_back, lambda messages: {("t", 0)} if any(m.epoch == 0 for m in messages) else set()) == 1
    assert line.first_offsets() == {("t", 0): 0}
    go_on.set()
    assert take(line) == 0
    while (journey := line.take()) is None:
        assert line.wait(30)
    assert journey.batch.incoming == came_back


def _fail(offset):
    if offset == 2:
        raise ModelError("the runtime failed")


def test_what_was_before_a_failure_comes_through_and_nothing_behind_it_is_begun(make):
    work, store = Step("work", _fail), Step("store")
    line = make(work, store)
    for offset in range(5):
        line.put(batch(offset))
    assert [take(line), take(line)] == [0, 1]
    with pytest.raises(ModelError):
        take(line)
    line.abandon()
    line.join()
    # The journal names what was in hand at the failure: no later batch may have come into hand.
    assert work.done == [0, 1]
    assert store.done == [0, 1]


def test_behind_a_batch_that_could_not_be_stored_nothing_is_stored(make):
    second_worked = threading.Event()

    def fail_first(offset):
        if offset == 0:
            assert second_worked.wait(30)
            raise ModelError("stored nothing")

    work = Step("work", lambda offset: offset == 1 and second_worked.set())
    store = Step("store", fail_first)
    line = make(work, store)
    line.put(batch(0))
    line.put(batch(1))
    with pytest.raises(ModelError):
        take(line)
    with pytest.raises(BatchAbandoned):
        take(line)
    assert store.done == []


def test_an_absent_dependency_is_waited_for_and_the_order_kept(make):
    refusals = iter([Unavailable("elasticsearch", "refused")] * 3)

    def refuse(offset):
        if offset == 0 and (refusal := next(refusals, None)):
            raise refusal

    line = make(Step("work"), Step("store", refuse))
    line.put(batch(0))
    line.put(batch(1))
    assert [take(line), take(line)] == [0, 1]
    assert line._health.ready()[0]


def test_a_worker_that_stops_gives_up_what_waits_and_what_is_not_begun(make):
    def away(offset):
        line.stopping.set()
        raise Unavailable("elasticsearch", "away")

    line = make(Step("work"), Step("store", away))
    line.put(batch(0))
    with pytest.raises(BatchAbandoned):
        take(line)
    line.put(batch(1))
    with pytest.raises(BatchAbandoned):
        take(line)


def test_first_offsets_are_those_of_all_batches_under_way(make):
    line = make(Step("work"), Step("store"))
    line.put(batch(5, 3))
    line.put(batch(8, 2))
    assert line.first_offsets() == {("t", 0): 5}
    take(line)
    assert line.first_offsets() == {("t", 0): 8}
    take(line)
    assert line.first_offsets() == {}
