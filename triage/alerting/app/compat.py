"""Workarounds for Faust and aiokafka. Written against faust-streaming 0.15 and aiokafka 0.14.

Each entry says what the library does, what that costs and when the workaround can go. Where a test can tell, it is
named: `tests/alerting/app/test_compat.py` holds those that fail once the library is fixed. No other module touches the
libraries' private parts.
"""

import asyncio
import contextlib
import logging
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import FutureMessage

from triage.clock import SystemClock
from triage.logging import get_logger
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.topics.unreadable import describe

log = get_logger("triage.alerter")

REVIEWED = {"faust-streaming": "0.15", "aiokafka": "0.14"}
"""The minor versions that the entries below were checked against."""

SEPARATOR = "/"
# A seek waits for the poll in flight: polls are short.
_POLL_S = 0.25
_MIN_FETCH_S = 0.2
_CHECK_S = 1.0


def quiet_libraries() -> None:
    """Hide the deprecation warnings of Faust on Python 3.11 and later, and its logs below WARNING.

    Faust 0.15 and mode use parts of asyncio that are deprecated; nothing in this project can change that. Can go when
    `triage alerter` starts without a DeprecationWarning under `-W default`.
    """
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(faust|mode|aiokafka)\b")
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger(name).level))


# Reading.


class _ReadCommittedThread(AIOKafkaConsumerThread):
    """A consumer thread for Faust that reads committed records only, and pauses between empty fetches.

    Faust reads committed records only with `processing_guarantee="exactly_once"`. That would put the changelog of the
    state into transactions that end every few seconds, and a page must not wait for one; here a write is durable as
    soon as the brokers acknowledge it, and repeated counts are merged idempotently (docs/decisions/0005). Without it,
    counts of aborted batches would be added. Can go when Faust has a setting for the isolation level
    (`test_the_library_reads_uncommitted_records` fails).
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if not hasattr(consumer, "_isolation_level"):
            raise RuntimeError("this aiokafka keeps its isolation level elsewhere; pin aiokafka 0.14")
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - no setting is passed on to it
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        consumer = self._ensure_consumer()
        pace_empty_fetches(consumer._fetcher)  # noqa: SLF001 - aiokafka has no setting for it
        transport: Any = self.consumer.transport
        self._stopped_partitions = StoppedPartitions(consumer, transport.unreadable)
        self.add_future(self._retry_unreadable())

    async def _retry_unreadable(self) -> None:
        """Try the partitions again that wait at a batch which can't be read, as they become due."""
        while not self.should_stop:
            await asyncio.sleep(_CHECK_S)
            try:
                await self._stopped_partitions.retry()
            except Exception as error:  # noqa: BLE001 - no broker, or the partition was revoked meanwhile
                log.info("unreadable_batch_not_retried", error=repr(error))


class StoppedPartitions:
    """Lets an aiokafka consumer stop a partition at a batch that it can't read, while it reads all others.

    In the library the poll fails, which ends Faust's consumer, and a new one comes to the same batch again: all
    partitions stand still. Here the partition is paused at the batch, which is reported to `unreadable`. `retry`
    resumes it when it is due: at the batch, or after it once an offset after it was committed. It runs on the
    consumer's own event loop. Can go when `test_the_library_fails_at_a_batch_that_it_cannot_read` fails, and a poll
    says which partition it was.
    """

    def __init__(self, consumer: AIOKafkaConsumer, unreadable: UnreadablePartitions) -> None:
        self._consumer = consumer
        self._unreadable = unreadable
        self._subscriptions = consumer._fetcher._subscriptions  # noqa: SLF001 - it has no hook for it
        for partition in unreadable:
            unreadable.drop(partition)
        guard = self._guard

        class Fetched(OrderedDict[TopicPartition, Any]):
            def __setitem__(self, partition: TopicPartition, result: Any) -> None:
                if isinstance(result, FetchResult):
                    result._partition_records = guard(partition, result._partition_records)  # noqa: SLF001
                super().__setitem__(partition, result)

        consumer._fetcher._records = Fetched()  # noqa: SLF001

    def _guard(self, partition: TopicPartition, records: Any) -> "_ReadableRecords":
        return _ReadableRecords(records, lambda offset, error: self._stop(partition, offset, error))

    def _stop(self, partition: TopicPartition, offset: int, error: Exception) -> None:
        self._subscriptions.pause(partition)
        self._unreadable.report(describe(partition.topic, partition.partition, offset, error))

    async def retry(self) -> None:
        """Forget partitions that were revoked or are read again; resume those that are due."""
        assigned = self._consumer.assignment()
        for key in self._unreadable:
            partition = TopicPartition(*key)
            if partition not in assigned:
                self._unreadable.drop(key)
            elif partition not in self._consumer.paused():
                self._unreadable.reached(key, await self._consumer.position(partition))
        for key in self._unreadable.due():
            partition = TopicPartition(*key)
            committed = await self._consumer.committed(partition) or 0
            if committed > await self._consumer.position(partition):
                self._consumer.seek(partition, committed)
            self._subscriptions.resume(partition)


class _ReadableRecords:
    """The records of one fetch, up to the first batch that can't be read; `stop` gets its offset and the error."""

    def __init__(self, records: Any, stop: Callable[[int, Exception], None]) -> None:
        self._records = records
        self._stop = stop

    @property
    def next_fetch_offset(self) -> int:
        offset: int = self._records.next_fetch_offset
        return offset

    def __iter__(self) -> "_ReadableRecords":
        return self

    def __next__(self) -> Any:
        try:
            return next(self._records)
        except StopIteration:
            raise
        except Exception as error:  # noqa: BLE001 - the codecs raise errors of their own
            self._stop(self.next_fetch_offset, error)
            raise StopIteration from None


def pace_empty_fetches(fetcher: Any) -> None:
    """Pause after a fetch that brought nothing sooner than the broker was asked to wait.

    aiokafka relies on the broker to wait `fetch_max_wait_ms`, and asks again at once. Not every broker waits (the local
    stack does not): the alerter would use a whole core. Can go when all supported brokers wait.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001
    loop = asyncio.get_running_loop()

    async def paced(*args: Any) -> Any:
        due_s = loop.time() + _MIN_FETCH_S
        found = await fetch(*args)
        task = asyncio.current_task()
        # aiokafka expects a fetch to suppress its own cancellation.
        if not found and not (task and task.cancelling()):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(due_s - loop.time())
        return found

    fetcher._proc_fetch_request = paced  # noqa: SLF001


class _RebalanceSafeConsumer(Consumer):
    """A Kafka consumer for Faust that loses no record in a rebalance: its seeks and polls never overlap.

    After a recovery Faust resumes the streams' partitions, seeks them to their committed offsets and empties its
    queues, while its poll loop runs. What is polled in between is lost, because the seek comes first and the queues are
    emptied after it; so are records of partitions without a committed offset, which Faust does not seek at all. Each
    method says what it changes. Can go when `test_the_library_seeks_only_partitions_with_a_committed_offset` and
    `test_the_library_drops_what_it_polled_while_the_flow_was_stopped` fail, and the rebalance cases of the fault suite
    pass with Faust's own consumer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._polling = asyncio.Lock()

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Stop the flow when streams are resumed, until Faust resumes it: their seek comes in between."""
        resumed = set(tps)
        if any(not self._is_changelog_tp(tp) for tp in resumed):
            self.stop_flow()
        super().resume_partitions(resumed)

    async def perform_seek(self) -> None:
        """Seek partitions without a committed offset, too: to their beginning.

        Report those whose committed offset retention has passed: aiokafka continues at their beginning without a word.
        """
        async with self._polling:
            await super().perform_seek()
            if not (streams := [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]):
                return
            earliest = await self._thread.earliest_offsets(*streams)
            committed = {tp: self._committed_offset.get(tp) or 0 for tp in streams}
            if behind := {tp: offset for tp, offset in earliest.items() if not committed[tp] or committed[tp] < offset}:
                await self._thread.seek_wait(behind)
            transport: Any = self.transport
            for tp, offset in behind.items():
                if committed[tp]:
                    transport.expired((tp.topic, tp.partition), committed[tp], offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek the partitions, after waiting for the poll in flight."""
        async with self._polling:
            await super().seek_wait(partitions)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        """Poll only while the flow is on, and never during a seek."""
        while not self.should_stop:
            if not self.flow_active:
                await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # an asyncio.Event, as in Faust
            async with self._polling:
                if self.flow_active:
                    return await self._poll(min(timeout, _POLL_S))
        return None, None

    async def _poll(self, timeout: float) -> Any:  # noqa: ASYNC109
        """Seek back to the first record of a poll during which the flow was stopped.

        Faust drops such records and seeks to the committed offsets. A changelog has none: its records would be lost,
        and the recovery that waits for them would never end.
        """
        if not self._get_active_partitions():
            await self.sleep(timeout)
            return None, None
        records, active = await super()._wait_next_records(timeout)
        if not records or self.flow_active:
            return records, active
        first = {tp: messages[0].offset for tp, messages in records.items() if messages}
        try:
            await self._thread.seek_wait({tp: first[tp] for tp in first.keys() & self.assignment()})
        except Exception as error:  # noqa: BLE001 - the partition was revoked meanwhile: the next recovery seeks itself
            log.info("rewind_failed", error=repr(error))
        return None, active


class ReadCommittedTransport(Transport):
    """Faust's Kafka transport, with a consumer that reads committed records only and loses none in a rebalance.

    `expired` is called with a partition, the committed offset, and the first one that Kafka still has, where retention
    has removed records that were not read. `unreadable` gets the partitions that wait at a batch that can't be read.
    """

    Consumer = _RebalanceSafeConsumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expired: Callable[[tuple[str, int], int, int], None] = lambda *_: None
        self.unreadable = UnreadablePartitions(SystemClock())


def leave_unacknowledged(events: Iterable[Any]) -> None:
    """Keep the offsets of a batch of `Stream.take_events` from being committed, so that it is read again.

    `take_events` acknowledges the events that it has yielded when the loop over it ends, also if an exception or a
    cancellation ended it: the counts of a batch that failed would be lost. Can go when
    `test_the_library_acknowledges_a_batch_that_failed` fails.
    """
    for event in events:
        event.message.acked = True


# State.


class PartitionTable(faust.Table[str, Any]):
    """A table whose keys begin with their partition, as in `3/...`, so that it can be written at any time.

    Faust takes the partition of a write from the event that a stream is at, and refuses writes anywhere else. The
    alerter also writes from a timer and from callbacks of deliveries. `unacknowledged` collects the writes since it was
    last taken: Faust returns none of their futures. Can go when a table takes a partition with a write
    (`test_the_library_refuses_writes_outside_of_a_stream` fails).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unacknowledged: list[FutureMessage] = []

    def on_key_set(self, key: str, value: Any) -> None:
        self.unacknowledged.append(self.send_changelog(partition_of(key), key, value))

    def on_key_del(self, key: str) -> None:
        self.unacknowledged.append(self.send_changelog(partition_of(key), key, value=None, value_serializer="raw"))

    def entries(self, partition: int) -> dict[str, Any]:
        """The entries of a partition. Keys are without the partition and the separator."""
        start = f"{partition}{SEPARATOR}"
        return {key.removeprefix(start): value for key, value in self.data.items() if key.startswith(start)}

    def drop_unassigned(self, assigned: set[int]) -> None:
        """Drop the entries of partitions that are not in `assigned` from memory; the changelog topic keeps them."""
        for key in [key for key in self.data if partition_of(key) not in assigned]:
            del self.data[key]


def partition_of(key: str) -> int:
    return int(key.partition(SEPARATOR)[0])


def recovery_remaining(app: faust.App) -> int | None:
    """Number of changelog records that are still to be read; None outside of a recovery.

    A recovery that lost records never ends, and Faust does not notice. Can go when Faust ends a recovery that makes no
    progress.
    """
    if not app.in_recovery:
        return None
    remaining: int = app.tables.recovery.active_remaining_total()  # type: ignore[attr-defined]  # not in its interface
    return remaining
