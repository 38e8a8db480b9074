"""Collects the records of simultaneous requests into small batches (micro-batches) for the model."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from opentelemetry.trace import INVALID_SPAN, Span, get_current_span

from triage import tracing
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Enriched, ValidatedRecord
from triage.runtime.health import Health

log = get_logger("triage.api")

Enrich = Callable[[Sequence[ValidatedRecord]], list[Enriched]]
_IDLE_S = 1.0


@dataclass(slots=True)
class _Job:
    items: Sequence[ValidatedRecord]
    done: "asyncio.Future[list[Enriched]]"
    request: Span = INVALID_SPAN


class Overloaded(Unavailable):
    """Raised when the queue of the micro-batcher is full, with `waiting` records: the caller should try again later."""

    def __init__(self, waiting: int) -> None:
        super().__init__("api", f"{waiting} records are waiting already; try again")


class MicroBatcher:
    """Enriches the records of simultaneous requests together, on one thread.

    Records that arrive while a batch is being enriched, and within `wait_s` seconds of the first, form the next batch,
    up to `batch_records`; at most `queue_records` wait. The records of one request are never split, so that one model
    and one set of rules classify all of them. `between` is called before each batch, and every second without one;
    `health` records the start and end of the work. Start and stop it on the event loop that calls `enrich`: everything
    runs on that loop, except the enrichment itself.
    """

    def __init__(
        self,
        enrich: Enrich,
        metrics: Metrics,
        *,
        batch_records: int,
        wait_s: float,
        queue_records: int,
        between: Callable[[], None] = lambda: None,
        health: Health | None = None,
    ) -> None:
        self._enrich = enrich
        self._metrics = metrics
        self._batch_records = batch_records
        self._wait_s = wait_s
        self._queue_records = queue_records
        self._between = between
        self._health = health
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._more = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "enrich")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="micro-batcher")

    async def stop(self) -> None:
        """Stop, and cancel the waiting requests; returns when the batch that is being enriched has ended."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for job in self._jobs:
            job.done.cancel()
        await asyncio.to_thread(self._thread.shutdown)

    async def enrich(self, items: Sequence[ValidatedRecord]) -> list[Enriched]:
        """Enrich the records of one request; returns them in order.

        Raises Overloaded if the queue is full, ModelError if inference fails.
        """
        if not items:
            return []
        # A single request is always accepted: its size is limited elsewhere.
        if self._jobs and self._waiting + len(items) > self._queue_records:
            raise Overloaded(self._waiting)
        job = _Job(items, asyncio.get_running_loop().create_future(), get_current_span())
        self._jobs.append(job)
        self._count(len(items))
        self._more.set()
        return await job.done

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), _IDLE_S)
            if self._jobs and self._wait_s and self._waiting < self._batch_records:
                await asyncio.sleep(self._wait_s)
            self._between()
            if batch := self._take():
                await self._work(batch)

    def _take(self) -> list[_Job]:
        batch: list[_Job] = []
        size = 0
        while self._jobs and (not batch or size + len(self._jobs[0].items) <= self._batch_records):
            job = self._jobs.popleft()
            self._count(-len(job.items))
            # A job that is done already was cancelled: its caller has disconnected.
            if not job.done.done():
                batch.append(job)
                size += len(job.items)
        if not self._jobs:
            self._more.clear()
        return batch

    async def _work(self, batch: list[_Job]) -> None:
        items = [item for job in batch for item in job.items]
        self._metrics.api_batch_records.observe(len(items))
        try:
            with tracing.span("enrich", links=[job.request for job in batch], records=len(items)):
                enriched = await self._on_thread(items)
        except asyncio.CancelledError:
            for job in batch:
                job.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
            await self._failed(batch, error)
            return
        for job in batch:
            results, enriched = enriched[: len(job.items)], enriched[len(job.items) :]
            if not job.done.done():
                job.done.set_result(results)

    async def _on_thread(self, items: Sequence[ValidatedRecord]) -> list[Enriched]:
        if self._health:
            self._health.began("enrich")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._enrich, items)
        finally:
            if self._health:
                self._health.ended("enrich")

    async def _failed(self, batch: list[_Job], error: Exception) -> None:
        """Retry each request of a failed batch alone, so that one does not fail the others.

        A request that fails alone gets the error.
        """
        if len(batch) > 1:
            for job in batch:
                await self._work([job])
            return
        log.error("enrich_failed", records=len(batch[0].items), error=str(error), kind=type(error).__name__)
        known = error if isinstance(error, TriageError) else TriageError("the records could not be enriched")
        if not batch[0].done.done():
            batch[0].done.set_exception(known)

    def _count(self, records: int) -> None:
        self._waiting += records
        self._metrics.api_queue_records.set(self._waiting)
