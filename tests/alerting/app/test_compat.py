"""Workarounds for Faust and aiokafka: a test called `test_the_library_...` fails once the library is fixed."""

import asyncio
import gc
from importlib.metadata import version

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.errors import CorruptRecordException
from faust.events import Event
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from triage.alerting.app.compat import (
    REVIEWED,
    StoppedPartitions,
    _ReadCommittedThread,
    leave_unacknowledged,
    pace_empty_fetches,
    partition_states,
)
from triage.alerting.app.faust_config import faust_app
from triage.clock import ManualClock
from triage.config import load_settings
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.pipeline.source import PartitionState
from triage.runtime.health import Health

NEW, READ, CHANGELOG = TP("counts", 0), TP("counts", 1), TP("changelog", 0)


@pytest.mark.parametrize("library", REVIEWED)
def test_the_workarounds_were_reviewed_for_the_installed_versions(library):
    assert version(library).startswith(f"{REVIEWED[library]}."), "review triage/alerting/app/compat.py, then REVIEWED"


@pytest.fixture
def app(tmp_path):
    return faust_app(load_settings(None, {"alerting.data_dir": str(tmp_path)}), partitions=2, replicas=1)


# Reading.


@pytest.mark.parametrize(
    ("thread", "isolation"), [(AIOKafkaConsumerThread, "read_uncommitted"), (_ReadCommittedThread, "read_committed")]
)
def test_the_library_reads_uncommitted_records(app, thread, isolation):
    async def scenario():
        consumer = app.transport.create_consumer(
            callback=ignored, on_partitions_revoked=ignored, on_partitions_assigned=ignored
        )
        consumer._thread.thread_loop.close()
        made = thread(consumer, loop=asyncio.get_running_loop(), beacon=consumer.beacon)
        made.thread_loop.close()
        kafka = made._create_worker_consumer(app.transport)
        found = kafka._isolation_level
        await kafka._client.close()
        kafka._closed = True
        return found

    assert asyncio.run(scenario()) == isolation


class Thread:
    """The part of the consumer that talks to the brokers; `polled` answers a poll once `answer` is set."""

    def __init__(self):
        self.positions = {}
        self.committed = 7
        self.polled = {}
        self.answer = asyncio.Event()

    def assignment(self):
        return {NEW, READ, CHANGELOG}

    async def seek_to_committed(self):
        self.positions[READ] = self.committed
        return {NEW: None, READ: self.committed, CHANGELOG: None}

    async def earliest_offsets(self, *tps):
        return dict.fromkeys(tps, 3)

    async def seek_wait(self, partitions):
        self.positions.update(partitions)

    async def getmany(self, active, timeout):  # noqa: ASYNC109
        del active, timeout
        await self.answer.wait()
        return self.polled


class Record:
    offset = 40


async def ignored(*_):
    pass


@pytest.fixture
def consumer(app, monkeypatch):
    """Makes the project's consumer, or Faust's own, without brokers."""

    async def make(kind=None):
        kind = kind or app.transport.Consumer
        found = kind(app.transport, callback=ignored, on_partitions_revoked=ignored, on_partitions_assigned=ignored)
        found._thread.thread_loop.close()
        monkeypatch.setattr(found, "_thread", Thread())
        monkeypatch.setattr(found, "_is_changelog_tp", lambda tp: tp == CHANGELOG)
        found._set_active_tps({NEW, READ, CHANGELOG})
        return found

    return make


async def positions_after_a_seek(consumer):
    await consumer.perform_seek()
    return consumer._thread.positions


def test_the_library_seeks_only_partitions_with_a_committed_offset(consumer):
    async def scenario(kind):
        return await positions_after_a_seek(await consumer(kind))

    assert asyncio.run(scenario(Consumer)) == {READ: 7}


def test_a_partition_without_a_committed_offset_is_sought_back_to_its_beginning(consumer):
    async def scenario():
        return await positions_after_a_seek(await consumer())

    assert asyncio.run(scenario()) == {READ: 7, NEW: 3}


@pytest.mark.parametrize(("committed", "reported"), [(2, [((READ.topic, READ.partition), 2, 3)]), (3, [])])
def test_a_committed_offset_that_retention_has_passed_is_reported(consumer, committed, reported):
    found = []

    async def scenario():
        made = await consumer()
        made.transport.expired = lambda *given: found.append(given)
        made._thread.committed = committed
        return await positions_after_a_seek(made)

    assert asyncio.run(scenario()) == {READ: 3, NEW: 3}
    assert found == reported


def test_resuming_streams_stops_the_flow_until_faust_resumes_it(consumer):
    async def scenario():
        found = await consumer()
        found.resume_flow()
        found.resume_partitions({CHANGELOG})
        assert found.flow_active
        found.resume_partitions({NEW})
        assert not found.flow_active
        poll = asyncio.create_task(found._wait_next_records(1.0))
        found._thread.answer.set()
        await asyncio.sleep(0)
        await found.perform_seek()
        assert not poll.done()
        found._thread.polled = {READ: [Record]}
        found.resume_flow()
        return await poll

    records, _ = asyncio.run(scenario())
    assert records == {READ: [Record]}


async def poll_while_the_flow_stops(consumer):
    """Positions after a poll of both topics during which the flow was stopped, and what the poll returned."""
    consumer.resume_flow()

    async def poll():
        return [record async for record in consumer.getmany(1.0)]

    polling = asyncio.create_task(poll())
    await asyncio.sleep(0)
    consumer.stop_flow()
    consumer._thread.polled = {READ: [Record], CHANGELOG: [Record]}
    consumer._thread.answer.set()
    return await polling, consumer._thread.positions


def test_the_library_drops_what_it_polled_while_the_flow_was_stopped(consumer):
    async def scenario():
        return await poll_while_the_flow_stops(await consumer(Consumer))

    assert asyncio.run(scenario()) == ([], {READ: 7}), "the record of the changelog is not read again"


def test_what_was_polled_while_the_flow_was_stopped_is_read_again(consumer):
    async def scenario():
        return await poll_while_the_flow_stops(await consumer())

    assert asyncio.run(scenario()) == ([], {READ: 40, CHANGELOG: 40})


def test_a_seek_waits_for_the_poll_in_flight_and_overrides_it(consumer):
    async def scenario():
        found = await consumer()
        found.resume_flow()
        poll = asyncio.create_task(found._wait_next_records(1.0))
        await asyncio.sleep(0)
        found.stop_flow()
        seek = asyncio.create_task(found.perform_seek())
        await asyncio.sleep(0)
        assert found._thread.positions == {}
        found._thread.polled = {READ: [Record], CHANGELOG: [Record]}
        found._thread.answer.set()
        await asyncio.gather(poll, seek)
        return poll.result()[0], found._thread.positions

    records, positions = asyncio.run(scenario())
    assert records is None, "what was polled after the flow was stopped is not handed on"
    assert positions == {READ: 7, NEW: 3, CHANGELOG: 40}, "the changelog continues with what was given back"


@pytest.mark.parametrize(("found", "pauses"), [(False, True), (True, False)])
def test_only_an_empty_fetch_is_followed_by_a_pause(found, pauses):
    class Fetcher:
        async def _proc_fetch_request(self, *_):
            return found

    async def scenario():
        fetcher = Fetcher()
        pace_empty_fetches(fetcher)
        began_s = asyncio.get_running_loop().time()
        assert await fetcher._proc_fetch_request("assignment", 1, "request") is found
        return asyncio.get_running_loop().time() - began_s

    assert (asyncio.run(scenario()) >= 0.15) is pauses


class Acknowledged:
    """A consumer that notes which offsets may be committed."""

    transactions = None

    def __init__(self):
        self.offsets = []
        self._unacked_messages = set()

    def ack(self, message):
        self.offsets.append(message.offset)
        return True


async def acknowledged_after_a_failure(app, on_failure):
    """Offsets that Faust acknowledges when the loop over a batch of two messages fails."""
    app._consumer = consumer = Acknowledged()
    app.flow_control.resume()
    channel = app.channel()
    stream = app.stream(channel)
    await stream.maybe_start()

    async def consume():
        async for events in stream.take_events(10, within=0.05):
            on_failure(events)
            raise ZeroDivisionError("odd")

    task = asyncio.create_task(consume())
    await asyncio.sleep(0)
    for offset in (1, 2):
        message = ConsumerMessage("t", 0, offset, 0.0, 0, [], b"k", b"v", None, tp=TP("t", 0))
        message.refcount, message.generation_id = 1, app.consumer_generation_id
        await channel.put(Event(app, b"k", b"v", {}, message))
    await asyncio.gather(task, return_exceptions=True)
    del task
    # The generator of the stream ends when nothing refers to it any more.
    gc.collect()
    await asyncio.sleep(0.01)
    await stream.stop()
    return consumer.offsets


def test_the_library_acknowledges_a_batch_that_failed(app):
    assert asyncio.run(acknowledged_after_a_failure(app, lambda events: None)) == [1, 2]


def test_a_batch_that_failed_stays_unacknowledged(app):
    assert asyncio.run(acknowledged_after_a_failure(app, leave_unacknowledged)) == []


# State.


@pytest.mark.asyncio
async def test_the_library_refuses_writes_outside_of_a_stream(app):
    table = faust.Table(app, name="plain", partitions=2, key_type=str, value_type=None)
    with pytest.raises(TypeError, match="outside of stream"):
        table["3/state"] = "x"


@pytest.mark.asyncio
async def test_the_project_s_table_is_written_anywhere_by_partition(app):
    table = app.Table("state", partitions=2, key_type=str, value_type=None)
    table["1/state"], table["0/state"] = "x", "y"
    del table["0/state"]
    assert [future.message.partition for future in table.unacknowledged] == [1, 0, 0]
    assert table.entries(1) == {"state": "x"}
    assert table.entries(0) == {}
    table.drop_unassigned({0})
    assert table.data == {}
    assert len(table.unacknowledged) == 3, "dropping entries from memory does not delete them"
    for future in table.unacknowledged:
        future.cancel()


# Batches that can't be read.


class Fetched:
    """The records of one fetch of aiokafka: offsets 5 and 6, then a batch that raises, unless it is `mended`."""

    def __init__(self, mended=False):
        self.next_fetch_offset = 5
        self.mended = mended

    def __iter__(self):
        return self

    def __next__(self):
        if self.next_fetch_offset == 7:
            if self.mended:
                raise StopIteration
            raise CorruptRecordException("Invalid CRC")
        self.next_fetch_offset += 1
        return self.next_fetch_offset - 1


@pytest.fixture
def reading():
    """`reading(guarded)`: a consumer of aiokafka without brokers that is assigned two partitions, and what waits."""

    async def build(*, guarded=True):
        consumer = AIOKafkaConsumer(bootstrap_servers="127.0.0.1:9", group_id="g", enable_auto_commit=False)
        partitions = [TopicPartition("counts", number) for number in (0, 1)]
        consumer._subscription.assign_from_user(partitions)
        consumer._fetcher = Fetcher(consumer._client, consumer._subscription)
        for partition in partitions:
            consumer._subscription.seek(partition, 5)
        clock, health = ManualClock(), Health(ManualClock())
        unreadable = UnreadablePartitions(clock, None, health, "triage alerter skip")
        stopped = StoppedPartitions(consumer, unreadable) if guarded else None

        def fetched(number, records):
            assignment = consumer._subscription.subscription.assignment
            consumer._fetcher._records[partitions[number]] = FetchResult(
                partitions[number], assignment=assignment, partition_records=records, backoff=0
            )

        return consumer, stopped, fetched, clock, health

    return build


async def poll(consumer):
    return {tp.partition: found for tp, found in (await consumer._fetcher.fetched_records([])).items()}


async def closed(consumer):
    await consumer._fetcher.close()
    await consumer._client.close()
    consumer._closed = True


def test_the_library_fails_at_a_batch_that_it_cannot_read(reading):
    async def scenario():
        consumer, _, fetched, _, _ = await reading(guarded=False)
        fetched(0, Fetched())
        with pytest.raises(CorruptRecordException):
            await poll(consumer)
        await closed(consumer)

    asyncio.run(scenario())


def test_only_the_partition_with_a_batch_that_cannot_be_read_stops_and_is_named(reading):
    async def scenario():
        consumer, _, fetched, _, health = await reading()
        fetched(0, Fetched())
        fetched(1, Fetched(mended=True))
        assert await poll(consumer) == {0: [5, 6], 1: [5, 6]}
        assert consumer.paused() == {TopicPartition("counts", 0)}
        (name, why), *others = health.ready()[1]["waiting_for"].items()
        assert (name, others) == ("counts/0", [])
        assert "the batch at counts/0/7 can't be read" in why
        assert "triage alerter skip counts/0/7" in why
        await closed(consumer)

    asyncio.run(scenario())


@pytest.mark.parametrize(("committed", "position"), [(None, 7), (7, 7), (9, 9)])
def test_a_stopped_partition_is_tried_again_and_follows_an_offset_that_was_committed_after_the_batch(
    reading, monkeypatch, committed, position
):
    async def scenario():
        consumer, stopped, fetched, clock, health = await reading()

        async def answered(_):
            return committed

        monkeypatch.setattr(consumer, "committed", answered)
        fetched(0, Fetched())
        await poll(consumer)
        await stopped.retry()
        assert consumer.paused()
        clock.advance(10)
        await stopped.retry()
        assert not consumer.paused()
        assignment = consumer._subscription.subscription.assignment
        assert assignment.state_value(TopicPartition("counts", 0)).position == position
        assert not health.ready()[0]
        consumer._subscription.seek(TopicPartition("counts", 0), 12)
        await stopped.retry()
        assert health.ready()[0]
        await closed(consumer)

    asyncio.run(scenario())


def test_a_partition_that_was_revoked_waits_no_more(reading, monkeypatch):
    async def scenario():
        consumer, stopped, fetched, _, health = await reading()
        fetched(0, Fetched())
        await poll(consumer)
        monkeypatch.setattr(consumer, "assignment", lambda: {TopicPartition("counts", 1)})
        await stopped.retry()
        assert health.ready()[0]
        await closed(consumer)

    asyncio.run(scenario())


def test_counts_that_wait_for_the_end_of_a_transaction_are_named(reading):
    async def scenario():
        consumer, _, _, clock, health = await reading()
        held = OpenTransactions(clock, None, health)
        assignment = consumer._subscription.subscription.assignment
        # As a fetch leaves them; nothing was fetched of the other partition yet.
        state = assignment.state_value(TopicPartition("counts", 0))
        state.lso, state.highwater = 7, 12
        assert partition_states(consumer) == {("counts", 0): PartitionState(7, 7, 12)}
        for seconds in (0, 59, 1):
            clock.advance(seconds)
            assert health.ready()[0]
            held.watch(partition_states(consumer))
        ready, shown = health.ready()
        assert not ready
        assert "left a transaction open at offset 7 for 60 s; 5 records wait" in str(shown["waiting_for"])
        state.lso = 12
        held.watch(partition_states(consumer))
        assert health.ready()[0]
        await closed(consumer)

    asyncio.run(scenario())
