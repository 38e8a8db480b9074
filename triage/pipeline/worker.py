"""The runner: poll, stages, one transaction; retries while a dependency is away; drains on request."""

import threading
from collections.abc import Callable, Sequence

from triage.clock import Clock
from triage.config import WorkerSettings
from triage.errors import Fenced, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, Incoming
from triage.pipeline.feed import Feed
from triage.pipeline.health import Health
from triage.pipeline.publish import Publisher
from triage.pipeline.retry import backoff
from triage.pipeline.stage import Stage

log = get_logger("triage.worker")

_KEEP_ALIVE_MS = 100


class Worker:
    """Runs batches until stopped. A batch is committed whole or read again; nothing is half done.

    `connect` makes a feed: at start, and again after a transaction was fenced.
    """

    def __init__(
        self,
        connect: Callable[[], Feed],
        stages: Sequence[Stage],
        publisher: Publisher,
        settings: WorkerSettings,
        clock: Clock,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._connect = connect
        self._stages = stages
        self._publisher = publisher
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._stop = threading.Event()
        self._limit = min(64, settings.max_batch_records)

    def stop(self) -> None:
        """Finish the batch in hand, commit it, leave the group. Safe from a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop`. Raises ConfigError, AccessDenied or ModelError for what waiting cannot mend."""
        while not self._stop.is_set():
            feed = self._join()
            if feed is None:
                return
            try:
                self._consume(feed)
            except Fenced as fenced:
                self._metrics.fenced.inc()
                log.warning("fenced_rejoining", error=str(fenced))
            finally:
                feed.close()

    def _join(self) -> Feed | None:
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while not self._stop.is_set():
            try:
                return self._connect()
            except (Unavailable, Fenced) as error:
                wait = next(waits)
                self._metrics.retries.labels("kafka").inc()
                self._health.waiting_for("kafka", str(error))
                log.warning("kafka_unavailable", error=str(error), retry_in_s=round(wait, 1))
                self._stop.wait(wait)
        return None

    def _consume(self, feed: Feed) -> None:
        while not self._stop.is_set():
            self._health.beat()
            try:
                incoming = self._gather(feed)
            except Unavailable as error:
                self._health.waiting_for("kafka", str(error))
                log.warning("kafka_unavailable", error=str(error))
                self._clock.sleep(self._settings.backoff_initial_s)
                continue
            started = self._clock.monotonic()
            self._finish(feed, Batch(incoming))
            self._adapt(len(incoming), self._clock.monotonic() - started)

    def _gather(self, feed: Feed) -> list[Incoming]:
        """Poll until the batch is full or `batch_wait_ms` have passed: a transaction costs the same for one or many."""
        until = self._clock.monotonic() + self._settings.batch_wait_ms / 1000
        gathered: list[Incoming] = []
        while len(gathered) < self._limit and not self._stop.is_set():
            left_ms = int((until - self._clock.monotonic()) * 1000)
            if gathered and left_ms <= 0:
                break
            polled = feed.poll(max(left_ms, 0), self._limit - len(gathered))
            gathered += polled
            if not polled and left_ms <= 0:
                break
        stale = feed.stale(gathered)
        return [message for message in gathered if message.partition not in stale] if stale else gathered

    def _finish(self, feed: Feed, batch: Batch) -> None:
        for stage in self._stages:
            if not self._persist(feed, batch, stage.name, lambda stage=stage: stage.process(batch)):  # type: ignore[misc]
                return
        self._persist(feed, batch, "publish", lambda: self._publisher.publish(feed, batch))

    def _persist(self, feed: Feed, batch: Batch, name: str, attempt: Callable[[], None]) -> bool:
        """Repeat one step until it is done. False if the batch was given up because the worker stops."""
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        while True:
            started = self._clock.monotonic()
            try:
                attempt()
            except Unavailable as error:
                wait = next(waits)
                self._metrics.retries.labels(error.dependency).inc()
                self._health.waiting_for(error.dependency, str(error))
                log.warning("waiting_for_dependency", stage=name, error=str(error), retry_in_s=round(wait, 1))
            else:
                self._metrics.stage_seconds.labels(name).observe(self._clock.monotonic() - started)
                self._metrics.paused.set(0)
                self._health.recovered()
                return True
            self._metrics.paused.set(1)
            if not self._wait(feed, wait):
                log.warning("batch_given_up", stage=name, records=len(batch.incoming), reason="stopping")
                return False
            batch.drop(feed.stale(batch.incoming))

    def _wait(self, feed: Feed, seconds: float) -> bool:
        """Stay in the group for `seconds`. False if the worker stops meanwhile: the records are read again."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._stop.is_set():
                return False
            self._health.beat()
            try:
                feed.keep_alive(max(1, min(_KEEP_ALIVE_MS, int(left * 1000))))
            except Unavailable:
                # Kafka is away too; its own clients reconnect, the stage's retry goes on.
                self._stop.wait(min(left, _KEEP_ALIVE_MS / 1000))
        return not self._stop.is_set()

    def _adapt(self, records: int, seconds: float) -> None:
        """Size batches so that one takes about `batch_target_ms`: short enough for latency, long enough to fill."""
        if records == 0:
            return
        fitting = int(records * self._settings.batch_target_ms / 1000 / max(seconds, 1e-4))
        if records < self._limit and fitting >= self._limit:
            return
        self._limit = max(16, min(fitting, self._limit * 2, self._settings.max_batch_records))
        self._limit = min(self._limit, self._settings.max_batch_records)
