"""The runner: it owns the feed, hands batches to the line, and commits what comes through in one transaction each."""

import threading
from collections.abc import Callable, Sequence

from triage import tracing
from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import Fenced, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, keep_lowest_offsets
from triage.pipeline.executor import BatchAbandoned, InFlightBatch, StageExecutor
from triage.pipeline.publisher import Publisher
from triage.pipeline.source import Source
from triage.pipeline.stages.base import Stage
from triage.runtime.backoff import backoff
from triage.runtime.health import Health

log = get_logger("triage.worker")

_KEEP_ALIVE_S = 0.1
# Records that arrive while nothing else happens are seen so soon.
_LOOK_S = 0.02
# A worker without records sends a batch of none so often: for watermarks, and for stages that look around.
_IDLE_S = 0.25
# A store that takes longer counts as slow: the worker is shown as paused while it reads no more.
_PATIENCE_S = 0.5


class Worker:
    """Runs batches until stopped. A batch is committed whole or read again; nothing is half done.

    `connect` makes a feed: at start, and again after a transaction was fenced. The caller's thread alone uses it: it
    polls, and it commits batches in the order in which they were read. `work` and `store` run on two threads beside
    it, so that a batch is worked on while the one before it is stored and committed, and a slow Elasticsearch never
    keeps this worker from its group.
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
        self._limit = min(64, settings.max_batch_records)
        self._gathered: list[ConsumedMessage] = []
        self._gathering_since = 0.0

    def stop(self) -> None:
        """Finish the batches in hand, commit them, leave the group. Safe from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`. Raises ConfigError, AccessDenied or ModelError for what waiting cannot mend."""
        while not self._stop.is_set():
            feed = self._join()
            if feed is None:
                return
            line = StageExecutor(
                self._work, self._store, self._settings, self._clock, self._metrics, self._health, self._stop
            )  # fmt: skip
            try:
                self._consume(feed, line)
            except Fenced as fenced:
                self._metrics.fenced.inc()
                log.warning("fenced_rejoining", error=str(fenced), batches_given_up=len(line))
            except BatchAbandoned:
                log.info("batches_given_up", batches=len(line), reason="stopping")
            finally:
                # First out of the group: its peers need not wait until a stage has ended here.
                line.abandon()
                feed.close()
                line.join()
                self._gathered = []
                self._metrics.batches_in_flight.set(0)

    def _join(self) -> Source | None:
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while not self._stop.is_set():
            self._health.beat()
            try:
                feed = self._connect()
            except (Unavailable, Fenced) as error:
                wait = next(waits)
                self._metrics.retries.labels("kafka").inc()
                self._health.waiting_for("kafka", str(error))
                log.warning("kafka_unavailable", error=str(error), retry_in_s=round(wait, 1))
                self._stop.wait(wait)
            else:
                self._health.recovered("kafka")
                return feed
        return None

    def _consume(self, feed: Source, line: StageExecutor) -> None:
        while not self._stop.is_set() or len(line):
            self._health.beat()
            journey = line.take()
            if journey is not None:
                with tracing.ending(journey.batch.trace):
                    self._commit(feed, line, journey)
            if not self._stop.is_set():
                self._read(feed)
                self._top_up(feed, line)
                if self._dispatch(feed, line):
                    continue
            self._show(line)
            self._rest(feed, line)

    def _read(self, feed: Source) -> None:
        """Take what has arrived, up to one batch."""
        while len(self._gathered) < self._limit:
            try:
                polled = feed.poll(0, self._limit - len(self._gathered))
            except Unavailable as error:
                # What is gathered has been read: given up here, the next batch would commit past it.
                self._health.waiting_for("kafka", str(error))
                log.warning("kafka_unavailable", error=str(error))
                self._clock.sleep(self._settings.backoff_initial_s)
                return
            if not polled:
                return
            # A partition that went and came back is read again from its committed offset: what was gathered of it
            # before goes now, for later nothing would tell a batch's old records from its new ones.
            self._drop_stale(feed)
            if not self._gathered:
                self._gathering_since = self._clock.monotonic()
            self._gathered += polled

    def _drop_stale(self, feed: Source) -> None:
        stale = feed.stale(self._gathered)
        self._gathered = [message for message in self._gathered if message.partition not in stale]

    def _top_up(self, feed: Source, line: StageExecutor) -> None:
        """What has arrived goes to the batch that waits for its turn: fewer and larger batches, none of them later."""
        if not self._gathered or not (room := line.room(self._limit)):
            return
        self._drop_stale(feed)
        taken = line.top_up(self._gathered[:room], feed.stale)
        self._gathered = self._gathered[taken:]

    def _dispatch(self, feed: Source, line: StageExecutor) -> bool:
        """Begin a batch if there is room and it is time; whether one was begun.

        As in Nagle's algorithm a batch that is not full waits for others only while there is something under way, and
        for `batch_wait_ms` at most: the latency under low load is that of the work, and a transaction, which costs the
        same for one record or many, is shared by the more of them the more there are. Begun here means handed to the
        line; until its turn comes it is topped up.
        """
        if len(line) >= self._settings.batches_in_flight:
            return False
        waited_s = self._clock.monotonic() - self._gathering_since
        if self._gathered:
            due = not len(line) or len(self._gathered) >= self._limit
            due = due or waited_s >= self._settings.batch_wait_ms / 1000
        else:
            due = not len(line) and waited_s >= _IDLE_S
        if not due:
            return False
        batch = Batch(self._gathered, lowest_uncommitted_offsets=line.first_offsets())
        batch.drop(feed.stale(batch.incoming))
        line.put(batch)
        self._gathered = []
        self._gathering_since = self._clock.monotonic()
        return True

    def _rest(self, feed: Source, line: StageExecutor) -> None:
        """Until a batch has come through or there may be something to read; in the group all the while."""
        reading = not self._stop.is_set() and len(self._gathered) < self._limit
        if not line.wait(_LOOK_S if reading else _KEEP_ALIVE_S) and not reading:
            self._attend(feed)

    def _attend(self, feed: Source) -> None:
        self._health.beat()
        try:
            feed.keep_alive(1)
        except Unavailable:
            # Kafka is away too; its own clients reconnect, the stages go on.
            self._clock.sleep(_KEEP_ALIVE_S)

    def _commit(self, feed: Source, line: StageExecutor, journey: InFlightBatch) -> None:
        """Repeat the transaction until it is done. Raises GivenUp if the worker stops meanwhile, Fenced."""
        batch, begun = journey.batch, self._clock.monotonic()
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while True:
            batch.drop(feed.stale(batch.incoming))
            started = self._clock.monotonic()
            try:
                with tracing.span("publish", parent=batch.trace, kind="producer", records=len(batch.incoming)):
                    self._publisher.publish(feed, batch, self._behind(line))
            except Unavailable as error:
                wait = next(waits)
                self._metrics.retries.labels(error.dependency).inc()
                self._health.waiting_for(error.dependency, str(error))
                log.warning("waiting_for_dependency", stage="publish", error=str(error), retry_in_s=round(wait, 1))
            else:
                break
            self._metrics.paused.set(1)
            self._wait(feed, wait)
        now = self._clock.monotonic()
        self._metrics.stage_seconds.labels("publish").observe(now - started)
        self._health.recovered("kafka")
        self._adapt(len(batch.incoming), journey.worked_s, journey.stored_s + now - begun)

    def _behind(self, line: StageExecutor) -> dict[tuple[str, int], int]:
        """First offsets of what has been read behind the batch that was just taken from the line."""
        first = line.first_offsets()
        keep_lowest_offsets(first, Batch(self._gathered).first_offsets())
        return first

    def _wait(self, feed: Source, seconds: float) -> None:
        """Stay in the group for `seconds`. Raises GivenUp if the worker stops: the records are read again."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop.is_set():
                raise BatchAbandoned
            self._clock.sleep(min(_KEEP_ALIVE_S, left))
            self._attend(feed)

    def _show(self, line: StageExecutor) -> None:
        self._metrics.batches_in_flight.set(len(line))
        full = len(line) >= self._settings.batches_in_flight and len(self._gathered) >= self._limit
        self._metrics.paused.set(full and line.storing_s >= _PATIENCE_S)

    def _adapt(self, records: int, worked_s: float, waited_s: float) -> None:
        """Let batches grow until one is worked on for `batch_target_ms`, or for as long as its dependencies take: else
        a slow one would get many small batches instead of few large ones."""
        if records == 0:
            return
        budget_s = max(self._settings.batch_target_ms / 1000, waited_s)
        fitting = int(records * budget_s / max(worked_s, 1e-4))
        if records < self._limit and fitting >= self._limit:
            return
        self._limit = max(16, min(fitting, self._limit * 2, self._settings.max_batch_records))
        self._limit = min(self._limit, self._settings.max_batch_records)
