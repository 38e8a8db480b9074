"""Runs the stages of a worker on two threads, so that one batch is processed while the one before it is stored.

Threads. Three are involved. The owner is the thread that runs `Worker.run` and owns the source: it alone calls
`submit`, `top_up`, `room`, `take_completed`, `wait_completed`, `lowest_offsets`, `abandon` and `join`. `work` runs the
stages from raw messages to results, `store` those that write them. Each batch passes owner -> work -> store -> owner
through two queues and a deque, in the order in which it was submitted.

State. A batch belongs to the thread that it was handed to, and nobody else touches it. The one exception is a batch
that waits for `work`: the owner may still add messages to it, so `begun` and its messages are guarded by `_begin_lock`.
`_in_flight` belongs to the owner; `_completed` is appended to by `store` and popped by the owner.

Blocking. Stages may block as long as they need; they never block the owner, which has to stay in the consumer group.
The owner blocks in `wait_completed`, with a timeout, and in `join`.

Retries. A stage that raises Unavailable is repeated on its own thread, with backoff, until it succeeds, the worker
stops or the executor is abandoned. Any other exception ends its batch and all batches after it: those before it are
still completed, those after it are not begun, because the crash journal and the dead-letter limit must stay as they
were at the failure.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from triage import tracing
from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, Partition, merge_lowest_offsets
from triage.pipeline.stages.base import Stage
from triage.retries.backoff import backoff
from triage.runtime.health import Health

log = get_logger("triage.worker")

# Within this time a thread that waits to retry notices that the worker stops.
_STOP_CHECK_S = 0.1


class BatchAbandoned(Exception):  # noqa: N818 - not an error: the worker stops, the batch is read again
    """Raised for a batch that is not completed, because the worker stops or its source is rebuilt; it is read again."""


@dataclass(slots=True)
class InFlightBatch:
    """A batch in the executor, its lowest offsets, and the seconds that the threads `work` and `store` spent on it.

    `failure` is the exception that ended it: BatchAbandoned, or one that a stage raised.
    """

    batch: Batch
    lowest_offsets: dict[Partition, int]
    begun: bool = False
    worked_s: float = 0.0
    stored_s: float = 0.0
    failure: BaseException | None = None


class StageExecutor:
    """Runs the stages on two threads, `work` and then `store`; batches are completed in the order of submission.

    The owner limits the number of batches in flight. When a batch ends with an exception, `take_completed` raises it
    after the batches before: those can be committed, later ones cannot.
    """

    def __init__(
        self,
        work: Sequence[Stage],
        store: Sequence[Stage],
        settings: WorkerSettings,
        clock: Clock,
        metrics: Metrics,
        health: Health,
        stopping: threading.Event,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._stopping = stopping
        self._abandoned = threading.Event()
        self._in_flight: deque[InFlightBatch] = deque()
        self._begin_lock = threading.Lock()
        self._storing_since: float | None = None
        self._to_work: SimpleQueue[InFlightBatch | None] = SimpleQueue()
        self._to_store: SimpleQueue[InFlightBatch | None] = SimpleQueue()
        self._completed: deque[InFlightBatch] = deque()
        self._completion = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(work,), name="work", daemon=True),
            threading.Thread(target=self._store, args=(store,), name="store", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Number of batches that were submitted and not yet returned by `take_completed`."""
        return len(self._in_flight)

    @property
    def storing_s(self) -> float:
        """Seconds that the `store` thread has spent on its current batch; 0 if it has none."""
        since = self._storing_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def submit(self, batch: Batch) -> None:
        item = InFlightBatch(batch, batch.lowest_offsets())
        self._in_flight.append(item)
        self._to_work.put(item)

    def top_up(
        self, messages: Sequence[ConsumedMessage], stale: Callable[[Sequence[ConsumedMessage]], set[Partition]]
    ) -> int:
        """Add messages to the newest batch if no stage has started it; returns how many were added (all or 0).

        The messages must have been read after all those in flight. `stale` returns the partitions that have been
        revoked since: their messages are first dropped from the batch, because later old and new records could not be
        told apart.
        """
        if not self._in_flight or not messages:
            return 0
        item = self._in_flight[-1]
        with self._begin_lock:
            if item.begun:
                return 0
            batch = item.batch
            batch.drop(stale(batch.consumed))
            batch.consumed = [*batch.consumed, *messages]
            item.lowest_offsets = batch.lowest_offsets()
            return len(messages)

    def room(self, max_records: int) -> int:
        """Return how many messages, up to `max_records`, fit into the newest batch; 0 once a stage has started it."""
        item = self._in_flight[-1] if self._in_flight else None
        return 0 if item is None or item.begun else max(0, max_records - len(item.batch.consumed))

    def take_completed(self) -> InFlightBatch | None:
        """Return the next batch, in order, that the threads `work` and `store` have completed.

        None if there is none yet. Raises the exception that ended the batch, if any.
        """
        if not self._completed:
            return None
        item = self._completed.popleft()
        if item.failure is not None:
            raise item.failure
        self._in_flight.popleft()
        return item

    def wait_completed(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` real seconds for a completed batch; returns True if there is one."""
        completed = bool(self._completed) or self._completion.wait(timeout_s)
        self._completion.clear()
        return completed

    def lowest_offsets(self) -> dict[Partition, int]:
        """Return the lowest offset of each partition among the batches in flight."""
        lowest: dict[Partition, int] = {}
        for item in self._in_flight:
            merge_lowest_offsets(lowest, item.lowest_offsets)
        return lowest

    def abandon(self) -> None:
        """Tell the threads `work` and `store` to end: no stage is started any more, batches in flight are abandoned."""
        self._abandoned.set()
        self._to_work.put(None)

    def join(self) -> None:
        """Wait until the threads `work` and `store` have ended; a running stage is not interrupted.

        The watchdog gets heartbeats meanwhile.
        """
        for thread in self._threads:
            while thread.is_alive():
                self._health.beat()
                thread.join(_STOP_CHECK_S)
        for item in self._in_flight:
            tracing.end(item.batch.trace, item.failure or BatchAbandoned())

    def _work(self, stages: Sequence[Stage]) -> None:
        failed = False
        while (item := self._to_work.get()) is not None:
            self._begin(item)
            # After a batch that failed nothing is processed: the journal of records in flight must stay as it is.
            if failed or self._stopping.is_set():
                item.failure = BatchAbandoned()
            else:
                item.worked_s = self._run(item, stages)
                failed = item.failure is not None
            self._to_store.put(item)
        self._to_store.put(None)

    def _begin(self, item: InFlightBatch) -> None:
        with self._begin_lock:
            item.begun = True
        if messages := item.batch.consumed:
            links = tracing.remotes(message.headers for message in messages)
            item.batch.trace = tracing.begin("process batch", kind="consumer", links=links, records=len(messages))

    def _store(self, stages: Sequence[Stage]) -> None:
        failed = False
        while (item := self._to_store.get()) is not None:
            if failed and item.failure is None:
                # The batch before may have failed on a state that this one would overwrite.
                item.failure = BatchAbandoned()
            elif item.failure is None:
                self._storing_since = self._clock.monotonic()
                item.stored_s = self._run(item, stages)
                self._storing_since = None
            failed = item.failure is not None
            self._completed.append(item)
            self._completion.set()

    def _run(self, item: InFlightBatch, stages: Sequence[Stage]) -> float:
        """Run the stages on a batch and store an exception as its `failure`; returns the seconds that it took."""
        started = self._clock.monotonic()
        try:
            for stage in stages:
                if self._abandoned.is_set():
                    raise BatchAbandoned
                self._run_with_retries(stage, item.batch)
        except BaseException as error:  # noqa: BLE001 - raised where the batch is taken back
            item.failure = error
        return self._clock.monotonic() - started

    def _run_with_retries(self, stage: Stage, batch: Batch) -> None:
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        waited_for = ""
        while True:
            started = self._clock.monotonic()
            self._health.began(stage.name)
            try:
                with tracing.span(stage.name, parent=batch.trace, records=len(batch.consumed)):
                    stage.process(batch)
            except Unavailable as error:
                wait, waited_for = next(waits), error.dependency
                self._metrics.retries.labels(waited_for).inc()
                self._health.outage(waited_for, str(error))
            else:
                self._metrics.stage_seconds.labels(stage.name).observe(self._clock.monotonic() - started)
                if waited_for:
                    self._health.recovered(waited_for)
                return
            finally:
                self._health.ended(stage.name)
            self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        """Wait before a retry. Raises BatchAbandoned when the worker stops: only a stage that runs is completed."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._abandoned.is_set() or self._stopping.is_set():
                raise BatchAbandoned
            self._clock.sleep(min(left, _STOP_CHECK_S))
