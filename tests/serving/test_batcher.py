"""Micro-batches: what waits together goes together, one request's fault is its own, and the queue has an end."""

import asyncio
import threading

import pytest

from triage.errors import ModelError
from triage.metrics import Metrics
from triage.serving.batcher import MicroBatcher, Overloaded

pytestmark = pytest.mark.asyncio


class Work:
    """An `enrich` that waits for `go`, and fails on "bad"."""

    def __init__(self):
        self.calls, self.begun, self.go = [], 0, threading.Event()
        self.go.set()

    def __call__(self, items):
        self.begun += 1
        self.go.wait(10)
        self.calls.append(list(items))
        if "bad" in items:
            raise ModelError("cannot")
        return [item.upper() for item in items]


def made(work, **options):
    settings = {"batch_records": 4, "wait_s": 0, "queue_records": 6, **options}
    return MicroBatcher(work, Metrics(), **settings)


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0.002)


async def test_what_comes_during_a_batch_is_the_next_one():
    work = Work()
    batcher = made(work)
    batcher.start()
    work.go.clear()
    first = asyncio.create_task(batcher.enrich(["a"]))
    await until(lambda: work.begun)
    others = [asyncio.create_task(batcher.enrich([name, name])) for name in "bcd"]
    await asyncio.sleep(0)
    work.go.set()
    assert await first == ["A"]
    assert [await each for each in others] == [["B", "B"], ["C", "C"], ["D", "D"]]
    assert work.calls == [["a"], ["b", "b", "c", "c"], ["d", "d"]]
    await batcher.stop()


async def test_a_request_that_fails_does_not_fail_the_others():
    work = Work()
    batcher = made(work, wait_s=0.01)
    batcher.start()
    good, bad = asyncio.create_task(batcher.enrich(["a"])), asyncio.create_task(batcher.enrich(["bad"]))
    assert await good == ["A"]
    with pytest.raises(ModelError):
        await bad
    await batcher.stop()


async def test_beyond_the_queue_callers_are_told_to_come_again():
    work = Work()
    batcher = made(work)
    waiting = [asyncio.create_task(batcher.enrich(["a", "b", "c"])) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await batcher.enrich(["d"])
    batcher.start()
    assert [await each for each in waiting] == [["A", "B", "C"]] * 2
    await batcher.stop()


async def test_a_large_request_goes_alone():
    work = Work()
    batcher = made(work)
    batcher.start()
    assert await batcher.enrich(list("abcdefghij")) == list("ABCDEFGHIJ")
    assert await batcher.enrich([]) == []
    await batcher.stop()


async def test_who_has_gone_is_not_worked_for():
    work = Work()
    batcher = made(work)
    gone = asyncio.create_task(batcher.enrich(["gone"]))
    await asyncio.sleep(0)
    gone.cancel()
    stays = asyncio.create_task(batcher.enrich(["stays"]))
    await asyncio.sleep(0)
    batcher.start()
    assert await stays == ["STAYS"]
    assert work.calls == [["stays"]]
    await batcher.stop()


async def test_a_stop_leaves_nobody_waiting():
    work = Work()
    batcher = made(work)
    waiting = asyncio.create_task(batcher.enrich(["a"]))
    await asyncio.sleep(0)
    await batcher.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
