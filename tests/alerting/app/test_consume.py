"""Counts of a batch that could not be applied are read again: by a real stream of Faust, which acknowledges them."""

import asyncio
import gc
from types import SimpleNamespace

import pytest
from faust.events import Event
from faust.types.tuples import TP, ConsumerMessage

from triage.alerting.app.faust_app import AlerterApp
from triage.alerting.rules.model import AlertRules
from triage.clock import ManualClock
from triage.config import load_settings
from triage.elastic.client import connect
from triage.metrics import Metrics


class Consumer:
    """The consumer that is told which offsets may be committed."""

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


async def consumed(alerter, advance):
    """Two counts go through the agent's function as one batch; returns the stream, and the function as a task."""
    alerter._engine = lambda _: SimpleNamespace(apply=lambda message: None)
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
