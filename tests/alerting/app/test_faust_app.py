"""The Faust app: a batch that failed is read again, and changes are stored before they are sent."""

import asyncio
import contextlib
import gc
from types import SimpleNamespace

import pytest
from faust.events import Event
from faust.types.tuples import TP, ConsumerMessage

from triage.alerting.app import faust_app
from triage.alerting.app.faust_app import AlerterApp
from triage.alerting.engine.changelog import Changes
from triage.alerting.rules.model import AlertRules
from triage.clock import ManualClock
from triage.config import load_settings
from triage.elastic.client import connect
from triage.metrics import Metrics


class Consumer:
    """A consumer that notes which offsets may be committed."""

    transactions = None

    def __init__(self):
        self.acknowledged = []
        self._unacked_messages = set()

    def ack(self, message):
        self.acknowledged.append(message.offset)
        return True


@pytest.fixture
def alerter(tmp_path):
    settings = load_settings(None, {"alerting.data_dir": str(tmp_path)})
    with connect(settings.elasticsearch) as client:
        app = AlerterApp(
            settings, AlertRules(rules=[]), ManualClock(), Metrics(), [], client,
            partitions=1, replicas=1, expected=set(),
        )  # fmt: skip
    app.faust._consumer = Consumer()
    app.faust.flow_control.resume()
    return app


def test_the_changelog_has_the_replicas_of_window_counts_and_as_many_must_be_in_sync(tmp_path):
    settings = load_settings(None, {"alerting.data_dir": str(tmp_path)})
    with connect(settings.elasticsearch) as client:
        app = AlerterApp(
            settings, AlertRules(rules=[]), ManualClock(), Metrics(), [], client,
            partitions=6, replicas=3, expected=set(), min_in_sync="2",
        )  # fmt: skip
    changelog = app._table.changelog_topic
    assert app.faust.conf.topic_replication_factor == 3
    assert (changelog.partitions, changelog.config["min.insync.replicas"]) == (6, "2")


async def consumed(alerter, advance):
    """Two counts go through the agent's function as one batch; returns the stream, and the function as a task."""
    alerter._engine_of = lambda _: SimpleNamespace(apply=lambda message: None)
    alerter._advance = advance
    channel = alerter.faust.channel()
    stream = alerter.faust.stream(channel)
    await stream.maybe_start()
    task = asyncio.create_task(alerter._consume(stream))
    await asyncio.sleep(0)
    for offset in (1, 2):
        message = ConsumerMessage("t", 0, offset, 0.0, 0, [], b"k", b"v", None, tp=TP("t", 0))
        message.refcount, message.generation_id = 1, alerter.faust.consumer_generation_id
        await channel.put(Event(alerter.faust, b"k", b"v", {}, message))
    return stream, task


async def ended(stream, task):
    await asyncio.gather(task, return_exceptions=True)
    del task
    # The generator of the stream ends when nothing refers to it any more.
    gc.collect()
    await asyncio.sleep(0.01)
    await stream.stop()


@pytest.mark.asyncio
async def test_a_batch_that_was_applied_is_acknowledged(alerter):
    done = asyncio.Event()

    async def advance(partition):
        done.set()

    stream, task = await consumed(alerter, advance)
    await done.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    await ended(stream, task)
    assert alerter.faust._consumer.acknowledged == [1, 2]
    assert alerter.faust.crash_reason is None


@pytest.mark.asyncio
async def test_a_batch_that_could_not_be_applied_is_not_and_the_app_starts_again(alerter, capsys):
    async def advance(partition):
        raise ZeroDivisionError("odd")

    stream, task = await consumed(alerter, advance)
    await ended(stream, task)
    assert alerter.faust._consumer.acknowledged == []
    assert isinstance(alerter.faust.crash_reason, ZeroDivisionError)
    said = capsys.readouterr().out
    assert "window_counts_not_applied" in said
    assert "Traceback" in said


@pytest.mark.asyncio
async def test_a_batch_in_whose_middle_the_alerter_stops_is_not(alerter):
    begun = asyncio.Event()

    async def advance(partition):
        begun.set()
        await asyncio.sleep(3600)

    stream, task = await consumed(alerter, advance)
    await begun.wait()
    task.cancel()
    await ended(stream, task)
    assert alerter.faust._consumer.acknowledged == []
    assert alerter.faust.crash_reason is None


class FlushedApp:
    """What `AlerterApp._flush` uses of its app; `write` stores the changes."""

    def __init__(self, write):
        self.engine = SimpleNamespace(take_changes=lambda: Changes(writes={"state": "x"}, notifications=["a page"]))
        self._flushing, self._engines = {}, {0: self.engine}
        self._write = write
        self.sent = []
        self._outbox = SimpleNamespace(take=lambda partition, engine, changes: self.sent.extend(changes.notifications))


def test_a_page_is_stored_before_it_is_sent():
    order = []

    async def write(*_):
        await asyncio.sleep(0)
        order.append("stored")

    alerter = FlushedApp(write)
    alerter._outbox.take = lambda *_: order.append("sent")
    asyncio.run(AlerterApp._flush(alerter, 0, alerter.engine))
    assert order == ["stored", "sent"]


def test_a_disk_that_is_full_does_not_stop_a_page(monkeypatch):
    monkeypatch.setattr(faust_app, "_STORE_WAIT_S", 0.01)

    async def run():
        alerter = FlushedApp(lambda *_: asyncio.sleep(3600))
        flushing = asyncio.create_task(AlerterApp._flush(alerter, 0, alerter.engine))
        async with asyncio.timeout(10):
            while not alerter.sent:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert not flushing.done(), "it still tries to store"
        flushing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await flushing
        return alerter.sent

    assert asyncio.run(run()) == ["a page"]


def test_changes_that_cannot_be_stored_start_the_app_again():
    async def fail(*_):
        raise ZeroDivisionError("odd")

    async def run():
        crashed = []
        alerter = FlushedApp(fail)

        async def crash(reason):
            crashed.append(reason)

        alerter.faust = SimpleNamespace(crash=crash)
        with pytest.raises(ZeroDivisionError):
            await AlerterApp._flush(alerter, 0, alerter.engine)
        return crashed

    assert len(asyncio.run(run())) == 1
