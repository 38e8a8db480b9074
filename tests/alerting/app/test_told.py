"""Pages that receivers know as firing, after a restart; and pages that a full disk keeps from being stored."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from engine_rig import START_MS, STEP_MS, Messages, Table, make, settle

from triage.alerting.app import faust_app as app
from triage.alerting.engine.changelog import Changes
from triage.clock import ManualClock


@pytest.fixture
def now():
    return ManualClock(START_MS + 100 * STEP_MS)


def restarted(now, table):
    engine = make(now, max_page_age_s=10**9)
    engine.restore(table.entries)
    return engine


def test_a_page_is_told_of_again_by_those_who_took_it_until_it_is_over(now):
    engine, table, messages = make(now, max_page_age_s=10**9), Table(), Messages()
    for message in (messages.counts(0, 12, 15), messages.mark(1)):
        engine.apply(message)
    (page,) = settle(engine, table)
    assert restarted(now, table).told() == [], "still owed to everyone"
    engine.delivered(page.alert.dedup_key, "firing", "log")
    table.write(engine.take_changes().writes)
    (told,) = restarted(now, table).told()
    assert told.receivers == ["log"]
    assert (told.alert.dedup_key, told.alert.status, told.also) == (page.alert.dedup_key, "firing", [])
    for step in range(1, 12):
        engine.apply(messages.counts(step, 0, 10))
        engine.apply(messages.mark(step + 1))
        settle(engine, table)
    assert restarted(now, table).told() == []


class Alerter:
    """What `AlerterApp._flush` asks of its app; `write` is how storing goes."""

    def __init__(self, write):
        self.engine = SimpleNamespace(take_changes=lambda: Changes(writes={"state": "x"}, owed=["a page"]))
        self._flushing, self._engines = {}, {0: self.engine}
        self._write = write
        self.said = []
        self._outbox = SimpleNamespace(take=lambda partition, engine, changes: self.said.extend(changes.owed))


def test_a_page_is_stored_before_it_is_sent():
    order = []

    async def write(*_):
        await asyncio.sleep(0)
        order.append("stored")

    alerter = Alerter(write)
    alerter._outbox.take = lambda *_: order.append("sent")
    asyncio.run(app.AlerterApp._flush(alerter, 0, alerter.engine))
    assert order == ["stored", "sent"]


def test_a_disk_that_is_full_does_not_stop_a_page(monkeypatch):
    monkeypatch.setattr(app, "_STORE_WAIT_S", 0.01)

    async def run():
        alerter = Alerter(lambda *_: asyncio.sleep(3600))
        flushing = asyncio.create_task(app.AlerterApp._flush(alerter, 0, alerter.engine))
        async with asyncio.timeout(10):
            while not alerter.said:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert not flushing.done(), "it goes on trying to store"
        flushing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await flushing
        return alerter.said

    assert asyncio.run(run()) == ["a page"]


def test_changes_that_cannot_be_stored_start_the_app_again():
    async def fail(*_):
        raise ZeroDivisionError("odd")

    async def run():
        crashed = []
        alerter = Alerter(fail)

        async def crash(reason):
            crashed.append(reason)

        alerter.faust = SimpleNamespace(crash=crash)
        with pytest.raises(ZeroDivisionError):
            await app.AlerterApp._flush(alerter, 0, alerter.engine)
        return crashed

    assert len(asyncio.run(run())) == 1
