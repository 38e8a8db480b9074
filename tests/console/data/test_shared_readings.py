"""One reading serves every page, and an absent Elasticsearch keeps the last one on show."""

import asyncio
import threading

from triage.console.data.shared_readings import SharedSnapshot
from triage.console.data.snapshot import Counts, Snapshot
from triage.errors import Unavailable


class _Reader:
    def __init__(self, clock):
        self.calls = 0
        self.away = False
        self._clock = clock

    def __call__(self):
        self.calls += 1
        if self.away:
            raise Unavailable("elasticsearch", "connection refused")
        return Snapshot(at_ms=self._clock.now_ms(), all_time=Counts(negative=self.calls))


def test_many_pages_share_one_reading_an_interval(clock):
    reader = _Reader(clock)
    shared = SharedSnapshot(reader, clock, interval_s=2)

    async def pages():
        first = await asyncio.gather(*(shared.current() for _ in range(20)))
        clock.advance(1.9)
        again = await shared.current()
        clock.advance(0.2)
        later = await shared.current()
        return first, again, later

    first, again, later = asyncio.run(pages())
    assert {snapshot.all_time.negative for snapshot in [*first, again]} == {1}
    assert later.all_time.negative == 2
    assert reader.calls == 2


def test_while_elasticsearch_is_away_the_last_reading_stays_with_the_error(clock):
    reader = _Reader(clock)
    shared = SharedSnapshot(reader, clock, interval_s=2)

    async def pages():
        shown = [await shared.current()]
        for away in (True, False):
            reader.away = away
            clock.advance(2)
            shown.append(await shared.current())
        return shown

    before, during, after = asyncio.run(pages())
    assert (during.all_time, during.error) == (before.all_time, "elasticsearch: connection refused")
    assert after.error is None
    assert after.all_time.negative == 3


def test_a_slow_reading_does_not_hold_up_the_first_paint(clock):
    go = threading.Event()

    def read():
        go.wait(10)
        return Snapshot(at_ms=1, all_time=Counts(negative=1))

    async def page():
        shared = SharedSnapshot(read, clock, simulated=True)
        early = await shared.within(0.01)
        go.set()
        return early, await shared.current()

    early, later = asyncio.run(page())
    assert (early.known, early.simulated) == (False, True)
    assert (later.known, later.all_time.total) == (True, 1)


def test_a_slow_elasticsearch_is_asked_less_often(clock):
    readings = []

    def read():
        clock.advance(8)
        readings.append(clock.monotonic())
        return Snapshot(at_ms=0)

    async def pages():
        shared = SharedSnapshot(read, clock, interval_s=2)
        await shared.current()
        clock.advance(7)
        await shared.current()
        clock.advance(2)
        await shared.current()

    asyncio.run(pages())
    assert readings == [8, 25]
