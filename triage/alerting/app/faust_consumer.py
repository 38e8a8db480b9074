"""Faust's Kafka consumer on our terms: read committed, no record lost in a rebalance, no busy loop.

Faust reads committed messages only with `processing_guarantee="exactly_once"`; that would put the state's changelog
into transactions that end every few seconds, and a page must not wait for one. Here a write is durable as soon as the
brokers acknowledge it, and repeats are merged idempotently. See docs/decisions/.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from triage.logging import get_logger

log = get_logger("triage.alerter")

# A seek waits for the poll under way.
_POLL_S = 0.25
_PACE_S = 0.2


class _Thread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if not hasattr(consumer, "_isolation_level"):
            raise RuntimeError("this aiokafka keeps its isolation level elsewhere; pin aiokafka 0.14")
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - Faust passes no such setting on
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        _pace(self._ensure_consumer()._fetcher)  # noqa: SLF001 - aiokafka has no such setting


class _Consumer(Consumer):
    """Seeks only while no poll is under way, and polls nothing between a seek and the moment Faust resumes the flow.

    After a recovery Faust seeks the streams to their committed offsets and empties its queues, with the flow still
    on: what is polled in between is lost, as are records of a partition that has no committed offset to go back to.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._polling = asyncio.Lock()

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Streams are resumed right before they are sought back: their flow has to wait for that."""
        resumed = set(tps)
        if any(not self._is_changelog_tp(tp) for tp in resumed):
            self.stop_flow()
        super().resume_partitions(resumed)

    async def perform_seek(self) -> None:
        """To the committed offsets; to the beginning where there are none, which Faust leaves out."""
        async with self._polling:
            await super().perform_seek()
            streams = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
            if new := [tp for tp in streams if not self._committed_offset.get(tp)]:
                await self._thread.seek_wait(await self._thread.earliest_offsets(*new))

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        async with self._polling:
            await super().seek_wait(partitions)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        while not self.should_stop:
            if not self.flow_active:
                await self.wait(self.can_resume_flow)  # type: ignore[arg-type]  # an asyncio.Event, as in Faust
            async with self._polling:
                if self.flow_active:
                    return await self._poll(min(timeout, _POLL_S))
        return None, None

    async def _poll(self, timeout: float) -> Any:  # noqa: ASYNC109
        """Give back what a poll brings in the middle of a rebalance.

        Faust drops it and seeks to the committed offsets; a changelog has none, so its records would be lost and the
        recovery that waits for them would never end.
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
        except Exception as error:  # noqa: BLE001 - taken away meanwhile: the next recovery seeks for itself
            log.info("rewind_failed", error=repr(error))
        return None, active


class ReadCommittedTransport(Transport):
    """The Kafka transport of Faust whose consumer does not see aborted or open transactions."""

    Consumer = _Consumer


def leave_unacknowledged(events: Iterable[Any]) -> None:
    """Keep the offsets of a batch from being committed, so that it is read again.

    Faust's `Stream.take_events` acknowledges the events that it has yielded however the loop over it ends: also by an
    exception or a cancellation in its middle.
    """
    for event in events:
        event.message.acked = True


def _pace(fetcher: Any) -> None:
    """Pause after a fetch that brought nothing sooner than the broker was asked to wait.

    Not every broker waits for records: aiokafka would ask it again at once, for ever.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001
    loop = asyncio.get_running_loop()

    async def paced(*args: Any) -> Any:
        due_s = loop.time() + _PACE_S
        found = await fetch(*args)
        task = asyncio.current_task()
        # aiokafka expects a fetch to swallow its cancellation.
        if not found and not (task and task.cancelling()):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(due_s - loop.time())
        return found

    fetcher._proc_fetch_request = paced  # noqa: SLF001
