"""The worker: reads raw messages, passes them through the stages in batches, and commits each batch in one transaction.

Threads. `Worker.run` is the loop of the thread that called it, and that thread owns the source: it alone polls, commits
and answers rebalances, because kafka-python's consumer belongs to one thread and a commit needs its group membership.
The executor's two threads run the stages. `stop` may be called from any thread and from a signal handler.

State. Everything here belongs to the owner's thread. Each message is in exactly one of three places: gathered for the
next batch, in the executor, or in the batch that is being committed. An offset is committed only after all lower ones.

Blocking. Between two calls of the source the loop waits for 0.1 s at most (after a failed poll for
`backoff_initial_s`), so a slow stage costs no membership. Calls of the source have timeouts of their own. At the end
`join` waits for a running stage.

Retries. A stage retries on its own thread. A transaction that was aborted (Unavailable) is repeated here, with backoff,
until it succeeds or the worker stops; revoked partitions are dropped before each attempt. Fenced rebuilds source and
executor; what was not committed is read again. Any other exception ends the worker: nothing was committed.
"""

import threading
from collections.abc import Callable, Sequence

from triage import tracing
from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import Fenced, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, Partition, merge_lowest_offsets
from triage.pipeline.executor import BatchAbandoned, InFlightBatch, StageExecutor
from triage.pipeline.publisher import Publisher
from triage.pipeline.source import Source
from triage.pipeline.stages.base import Stage
from triage.retries.backoff import backoff
from triage.runtime.health import Health

log = get_logger("triage.worker")

_KEEP_ALIVE_S = 0.1
# Interval of polls while nothing else happens.
_POLL_INTERVAL_S = 0.02
# Interval of empty batches while no messages arrive: for watermarks, and for stages that look for changes.
_IDLE_BATCH_S = 0.25
# A store that takes longer counts as slow: the worker is shown as paused while it reads no more.
_SLOW_STORE_S = 0.5


class Worker:
    """Processes batches until stopped. A batch is committed as a whole or read again.

    `connect` creates a source: at start, and again after a transaction was fenced. `work` and `store` are the stages of
    the executor's two threads, so that a batch is processed while the one before it is stored and committed.
    """

    def __init__(
        self,
        connect: Callable[[], Source],
        work: Sequence[Stage],
        store: Sequence[Stage],
        publisher: Publisher,
        settings: WorkerSettings,
        clock: Clock,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._connect = connect
        self._work = work
        self._store = store
        self._publisher = publisher
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._stop = threading.Event()
        self._batch_size = min(64, settings.max_batch_records)
        self._gathered: list[ConsumedMessage] = []
        self._gathering_since = 0.0
        # The last commit ended with Fenced.
        self._refused = False

    def stop(self) -> None:
        """Ask the worker to complete and commit the batches in flight, leave the consumer group and end.

        Returns at once, and may be called from a signal handler.
        """
        self._stop.set()

    def run(self) -> None:
        """Process batches until `stop` is called.

        Raises ConfigError, AccessDenied or ModelError, which waiting does not resolve.
        """
        while not self._stop.is_set():
            source = self._join()
            if source is None:
                return
            executor = StageExecutor(
                self._work, self._store, self._settings, self._clock, self._metrics, self._health, self._stop
            )  # fmt: skip
            try:
                self._consume(source, executor)
            except Fenced as fenced:
                self._metrics.fenced.inc()
                # Until the next commit: with too few replicas in sync each attempt ends like this, and a new source
                # is made at once.
                self._refused = True
                self._health.waiting_for("kafka", str(fenced))
                log.warning("fenced_rejoining", error=str(fenced), batches_given_up=len(executor))
            except BatchAbandoned:
                log.info("batches_given_up", batches=len(executor), reason="stopping")
            finally:
                # The group is left first: the other members need not wait until a stage has ended here.
                executor.abandon()
                source.close()
                executor.join()
                self._gathered = []
                self._metrics.batches_in_flight.set(0)

    def _join(self) -> Source | None:
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while not self._stop.is_set():
            self._health.beat()
            try:
                source = self._connect()
            except (Unavailable, Fenced) as error:
                wait = next(waits)
                self._metrics.retries.labels("kafka").inc()
                self._health.outage("kafka", str(error))
                self._stop.wait(wait)
            else:
                if not self._refused:
                    self._health.recovered("kafka")
                return source
        return None

    def _consume(self, source: Source, executor: StageExecutor) -> None:
        while not self._stop.is_set() or len(executor):
            self._health.beat()
            completed = executor.take_completed()
            if completed is not None:
                with tracing.ending(completed.batch.trace):
                    self._commit(source, executor, completed)
            if not self._stop.is_set():
                self._gather(source)
                self._top_up(source, executor)
                if self._submit(source, executor):
                    continue
            self._update_metrics(executor)
            self._wait(source, executor)

    def _gather(self, source: Source) -> None:
        """Read the messages that have arrived, until there are enough for one full batch."""
        while len(self._gathered) < self._batch_size:
            try:
                polled = source.poll(0, self._batch_size - len(self._gathered))
            except Unavailable as error:
                # The gathered messages were read: if they were dropped here, the next batch would commit past them.
                self._health.outage("kafka", str(error))
                self._clock.sleep(self._settings.backoff_initial_s)
                return
            if not polled:
                return
            # A partition that was revoked and assigned again is read again from its committed offset. Its gathered
            # messages are dropped now, because later nothing would tell them from the new ones.
            self._drop_stale(source)
            if not self._gathered:
                self._gathering_since = self._clock.monotonic()
            self._gathered += polled

    def _drop_stale(self, source: Source) -> None:
        stale = source.stale(self._gathered)
        self._gathered = [message for message in self._gathered if message.partition not in stale]

    def _top_up(self, source: Source, executor: StageExecutor) -> None:
        """Add gathered messages to a batch that still waits for the `work` thread.

        This makes fewer and larger batches, and delays no record.
        """
        if not self._gathered or not (room := executor.room(self._batch_size)):
            return
        self._drop_stale(source)
        taken = executor.top_up(self._gathered[:room], source.stale)
        self._gathered = self._gathered[taken:]

    def _submit(self, source: Source, executor: StageExecutor) -> bool:
        """Submit the gathered messages as a batch if there is room and it is due; returns True if it did.

        As in Nagle's algorithm a batch that is not full waits for more messages only while another is in flight, and
        for `batch_wait_ms` at most. So under low load the latency is that of the work alone, and under high load a
        transaction, whose cost is the same for one record or many, is shared by many. Until `work` begins the batch it
        is topped up.
        """
        if len(executor) >= self._settings.batches_in_flight:
            return False
        waited_s = self._clock.monotonic() - self._gathering_since
        if self._gathered:
            due = not len(executor) or len(self._gathered) >= self._batch_size
            due = due or waited_s >= self._settings.batch_wait_ms / 1000
        else:
            due = not len(executor) and waited_s >= _IDLE_BATCH_S
        if not due:
            return False
        batch = Batch(self._gathered, lowest_uncommitted_offsets=executor.lowest_offsets())
        batch.drop(source.stale(batch.consumed))
        executor.submit(batch)
        self._gathered = []
        self._gathering_since = self._clock.monotonic()
        return True

    def _wait(self, source: Source, executor: StageExecutor) -> None:
        """Wait until a batch is completed or the next poll is due, with heartbeats to the group."""
        reading = not self._stop.is_set() and len(self._gathered) < self._batch_size
        if not executor.wait_completed(_POLL_INTERVAL_S if reading else _KEEP_ALIVE_S) and not reading:
            self._keep_alive(source)

    def _keep_alive(self, source: Source) -> None:
        self._health.beat()
        try:
            source.keep_alive(1)
        except Unavailable:
            # Kafka is unavailable too: its own clients reconnect, and the stages continue.
            self._clock.sleep(_KEEP_ALIVE_S)

    def _commit(self, source: Source, executor: StageExecutor, completed: InFlightBatch) -> None:
        """Repeat the transaction until it is committed.

        Raises BatchAbandoned if the worker stops meanwhile, Fenced if the source must be rebuilt.
        """
        batch, begun = completed.batch, self._clock.monotonic()
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while True:
            batch.drop(source.stale(batch.consumed))
            started = self._clock.monotonic()
            try:
                with tracing.span("publish", parent=batch.trace, kind="producer", records=len(batch.consumed)):
                    self._publisher.publish(source, batch, self._lowest_uncommitted_offsets(executor))
            except Unavailable as error:
                wait = next(waits)
                self._metrics.retries.labels(error.dependency).inc()
                self._health.outage(error.dependency, str(error))
            else:
                break
            self._metrics.paused.set(1)
            self._wait_to_retry(source, wait)
        now = self._clock.monotonic()
        self._metrics.stage_seconds.labels("publish").observe(now - started)
        self._refused = False
        self._health.recovered("kafka")
        self._adapt_batch_size(len(batch.consumed), completed.worked_s, completed.stored_s + now - begun)

    def _lowest_uncommitted_offsets(self, executor: StageExecutor) -> dict[Partition, int]:
        """Return, per partition, the lowest offset that was read after the batch just taken from the executor."""
        lowest = executor.lowest_offsets()
        merge_lowest_offsets(lowest, Batch(self._gathered).lowest_offsets())
        return lowest

    def _wait_to_retry(self, source: Source, seconds: float) -> None:
        """Stay in the group for `seconds`. Raises BatchAbandoned if the worker stops: the records are read again."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop.is_set():
                raise BatchAbandoned
            self._clock.sleep(min(_KEEP_ALIVE_S, left))
            self._keep_alive(source)

    def _update_metrics(self, executor: StageExecutor) -> None:
        self._metrics.batches_in_flight.set(len(executor))
        full = len(executor) >= self._settings.batches_in_flight and len(self._gathered) >= self._batch_size
        self._metrics.paused.set(full and executor.storing_s >= _SLOW_STORE_S)

    def _adapt_batch_size(self, records: int, worked_s: float, waited_s: float) -> None:
        """Set the batch size so that the work on a batch takes `batch_target_ms`, or as long as storing and committing.

        With a smaller size a slow dependency would get many small batches instead of few large ones.
        """
        if records == 0:
            return
        budget_s = max(self._settings.batch_target_ms / 1000, waited_s)
        fitting = int(records * budget_s / max(worked_s, 1e-4))
        if records < self._batch_size and fitting >= self._batch_size:
            return
        self._batch_size = max(16, min(fitting, self._batch_size * 2, self._settings.max_batch_records))
        self._batch_size = min(self._batch_size, self._settings.max_batch_records)
