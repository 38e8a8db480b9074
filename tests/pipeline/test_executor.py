"""The executor's two threads: batches overlap, keep their order, and none passes one that failed."""

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
        offset = batch.consumed[0].position.offset
        self.act(offset)
        self.done.append(offset)


def batch(offset, count=1):
    return Batch([ConsumedMessage(Position("t", 0, n), 0, b"") for n in range(offset, offset + count)])


@pytest.fixture
def make():
    executors = []

    def make(work, store):
        clock, stopping = ManualClock(), threading.Event()
        executor = StageExecutor([work], [store], load_settings().worker, clock, Metrics(), Health(clock), stopping)
        executor.stopping = stopping
        executors.append(executor)
        return executor

    yield make
    for executor in executors:
        executor.abandon()
        executor.join()
        assert not any(thread.is_alive() for thread in executor._threads)


def take(executor):
    while (item := executor.take_completed()) is None:
        assert executor.wait_completed(30)
    return item.batch.consumed[0].position.offset


def test_a_batch_is_worked_on_while_the_one_before_it_is_stored(make):
    second_worked = threading.Event()
    work = Step("work", lambda offset: second_worked.set() if offset == 1 else None)
    # The first store ends only once the second batch has been processed: without overlap this would hang.
    store = Step("store", lambda offset: offset == 1 or second_worked.wait(30) or pytest.fail("no overlap"))
    executor = make(work, store)
    executor.submit(batch(0))
    executor.submit(batch(1))
    assert [take(executor), take(executor)] == [0, 1]
    assert len(executor) == 0


def test_batches_come_through_in_order(make):
    executor = make(Step("work"), Step("store"))
    for offset in range(20):
        executor.submit(batch(offset))
    assert [take(executor) for _ in range(20)] == list(range(20))


def held(make):
    """An executor whose first batch is being processed until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(offset):
        if offset == 0:
            begun.set()
            assert go_on.wait(30)

    executor = make(Step("work", hold), Step("store"))
    executor.submit(batch(0))
    assert begun.wait(30)
    return executor, go_on


def test_a_batch_that_waits_for_its_turn_is_topped_up_and_one_in_work_is_not(make):
    executor, go_on = held(make)
    assert executor.room(10) == 0
    assert executor.top_up(batch(1).consumed, lambda messages: set()) == 0
    executor.submit(batch(1, 2))
    assert executor.room(5) == 3
    assert executor.room(1) == 0
    assert executor.top_up(batch(3, 3).consumed, lambda messages: set()) == 3
    go_on.set()
    assert take(executor) == 0
    while (item := executor.take_completed()) is None:
        assert executor.wait_completed(30)
    assert [message.position.offset for message in item.batch.consumed] == [1, 2, 3, 4, 5]


def test_old_records_of_a_partition_leave_before_new_ones_come(make):
    executor, go_on = held(make)
    executor.submit(batch(1, 2))
    came_back = [ConsumedMessage(Position("t", 0, 1), 0, b"", (), epoch=1)]
    assert (
        executor.top_up(came_back, lambda messages: {("t", 0)} if any(m.epoch == 0 for m in messages) else set()) == 1
    )
    assert executor.lowest_offsets() == {("t", 0): 0}
    go_on.set()
    assert take(executor) == 0
    while (item := executor.take_completed()) is None:
        assert executor.wait_completed(30)
    assert item.batch.consumed == came_back


def _fail(offset):
    if offset == 2:
        raise ModelError("the runtime failed")


def test_what_was_before_a_failure_comes_through_and_nothing_behind_it_is_begun(make):
    work, store = Step("work", _fail), Step("store")
    executor = make(work, store)
    for offset in range(5):
        executor.submit(batch(offset))
    assert [take(executor), take(executor)] == [0, 1]
    with pytest.raises(ModelError):
        take(executor)
    executor.abandon()
    executor.join()
    # The journal names what was in flight at the failure: no later batch may have been begun.
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
    executor = make(work, store)
    executor.submit(batch(0))
    executor.submit(batch(1))
    with pytest.raises(ModelError):
        take(executor)
    with pytest.raises(BatchAbandoned):
        take(executor)
    assert store.done == []


def test_an_absent_dependency_is_waited_for_and_the_order_kept(make):
    refusals = iter([Unavailable("elasticsearch", "refused")] * 3)

    def refuse(offset):
        if offset == 0 and (refusal := next(refusals, None)):
            raise refusal

    executor = make(Step("work"), Step("store", refuse))
    executor.submit(batch(0))
    executor.submit(batch(1))
    assert [take(executor), take(executor)] == [0, 1]
    assert executor._health.ready()[0]


def test_a_worker_that_stops_gives_up_what_waits_and_what_is_not_begun(make):
    def unavailable(offset):
        executor.stopping.set()
        raise Unavailable("elasticsearch", "away")

    executor = make(Step("work"), Step("store", unavailable))
    executor.submit(batch(0))
    with pytest.raises(BatchAbandoned):
        take(executor)
    executor.submit(batch(1))
    with pytest.raises(BatchAbandoned):
        take(executor)


def test_lowest_offsets_are_those_of_all_batches_under_way(make):
    executor = make(Step("work"), Step("store"))
    executor.submit(batch(5, 3))
    executor.submit(batch(8, 2))
    assert executor.lowest_offsets() == {("t", 0): 5}
    take(executor)
    assert executor.lowest_offsets() == {("t", 0): 8}
    take(executor)
    assert executor.lowest_offsets() == {}
