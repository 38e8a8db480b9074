"""Workarounds for Faust and aiokafka. Written against faust-streaming 0.15 and aiokafka 0.14.

Each entry describes what the library does, its effect, and when the workaround can be removed. If a test can detect
that, it is named: these tests are in `tests/alerting/app/test_compat.py` and fail once the library is fixed. Only this
module uses private attributes of the libraries.
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

from triage.clock import Clock, SystemClock
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.kafka.expired_records import ExpiredRecords
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.pipeline.source import PartitionState
from triage.runtime.health import Health
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
    """Hide the deprecation warnings of Faust on Python 3.11 and later, and its log messages below WARNING.

    Faust 0.15 and mode use deprecated parts of asyncio; this project cannot change that. Remove when `triage alerter`
    starts without a DeprecationWarning under `-W default`.
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
        self._held = transport.held
        self.add_future(self._check_partitions())

    async def _check_partitions(self) -> None:
        """Report open transactions; try the partitions again that wait at a batch which can't be read."""
        while not self.should_stop:
            await asyncio.sleep(_CHECK_S)
            self._held.watch(partition_states(self._ensure_consumer()))
            try:
                await self._stopped_partitions.retry()
            except Exception as error:  # noqa: BLE001 - no broker, or the partition was revoked meanwhile
                log.info("unreadable_batch_not_retried", error=repr(error))


def partition_states(consumer: AIOKafkaConsumer) -> dict[tuple[str, int], PartitionState]:
    """Return for each assigned (topic, partition) how far it can be read and its end, by the last fetch from it.

    Partitions without a fetch are left out.
    """
    offsets = {each: (consumer.last_stable_offset(each), consumer.highwater(each)) for each in consumer.assignment()}
    return {
        (each.topic, each.partition): PartitionState(stable, stable, end)
        for each, (stable, end) in offsets.items()
        if stable is not None and end is not None
    }


class StoppedPartitions:
    """Pauses a partition of an aiokafka consumer at a batch that cannot be decoded, while other partitions are read.

    Without it the poll fails, Faust's consumer ends, and its successor fails at the same batch: no partition is read.
    Here the partition is paused at the batch and reported to `unreadable`. `retry` resumes a partition when its next
    attempt is due: at the same batch, or at the group's committed offset if that is past the batch. It runs on the
    consumer's own event loop. Remove when `test_the_library_fails_at_a_batch_that_it_cannot_read` fails and the
    exception of a poll names the partition.
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
        """Resume the partitions whose next attempt is due; forget partitions that were revoked or are read again."""
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
    """Make aiokafka wait after an empty fetch that the broker answered earlier than it was asked to.

    aiokafka relies on the broker to wait `fetch_max_wait_ms`, and fetches again at once. Some brokers (such as the
    local stack's) do not wait, and the alerter would use a whole core. Remove when all supported brokers wait.
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
        """Resume partitions, but deliver no records of streams until Faust has sought them and resumes the flow."""
        resumed = set(tps)
        if any(not self._is_changelog_tp(tp) for tp in resumed):
            self.stop_flow()
        super().resume_partitions(resumed)

    async def perform_seek(self) -> None:
        """Seek all assigned partitions; those without a committed offset start at their beginning.

        Also reports partitions whose committed offset is older than what retention has kept: aiokafka continues at
        their beginning without a message.
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
        """Wait until the poll in progress has returned, then seek the partitions to these offsets."""
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
    """Faust's Kafka transport with a consumer that reads only committed records and loses none in a rebalance.

    `expired(partition, committed, first)` is called if retention has deleted records that were not read: with the
    committed offset and the first offset that still exists. `unreadable` holds the partitions paused at a batch that
    cannot be decoded, `held` reports those that wait for the end of an open transaction.
    """

    Consumer = _RebalanceSafeConsumer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expired: Callable[[tuple[str, int], int, int], None] = lambda *_: None
        self.unreadable = UnreadablePartitions(SystemClock())
        self.held = OpenTransactions(SystemClock())

    def report_to(self, clock: Clock, metrics: Metrics, health: Health) -> None:
        """Report what can't be read in these metrics, on this health page and in the log."""
        self.expired = ExpiredRecords(metrics).report
        self.unreadable = UnreadablePartitions(clock, metrics, health, "triage alerter skip")
        self.held = OpenTransactions(clock, metrics, health)


def leave_unacknowledged(events: Iterable[Any]) -> None:
    """Prevent the offsets of a batch from `Stream.take_events` from being committed, so that it is read again.

    `take_events` acknowledges its events when the loop over it ends, even by an exception or a cancellation; the counts
    of a failed batch would be lost. Remove when `test_the_library_acknowledges_a_batch_that_failed` fails.
    """
    for event in events:
        event.message.acked = True


# State.


class PartitionTable(faust.Table[str, Any]):
    """A Faust table that can be written at any time, because each key names its partition, as in `3/...`.

    Faust takes the partition of a write from the event that a stream processes, and refuses writes outside of a stream.
    The alerter also writes from a timer and from delivery callbacks. `unacknowledged` has the futures of the writes
    since it was last emptied; Faust does not return them. Remove when a table accepts a partition with a write
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
        """Return the entries of a partition; their keys are without the prefix `<partition>/`."""
        start = f"{partition}{SEPARATOR}"
        return {key.removeprefix(start): value for key, value in self.data.items() if key.startswith(start)}

    def drop_unassigned(self, assigned: set[int]) -> None:
        """Remove the entries of partitions that are not in `assigned` from memory; the changelog topic keeps them."""
        for key in [key for key in self.data if partition_of(key) not in assigned]:
            del self.data[key]


def partition_of(key: str) -> int:
    return int(key.partition(SEPARATOR)[0])


def recovery_remaining(app: faust.App) -> int | None:
    """Number of changelog records still to be read in the current recovery; None if no recovery is running.

    If records are missing, a recovery never ends, and Faust does not notice. Remove when Faust ends a recovery that
    makes no progress.
    """
    if not app.in_recovery:
        return None
    remaining: int = app.tables.recovery.active_remaining_total()  # type: ignore[attr-defined]  # not in its interface
    return remaining
