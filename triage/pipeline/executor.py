"""The assembly line behind a worker's feed: one thread works on a batch while another stores the one before it."""

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
from triage.pipeline.batch import Batch, ConsumedMessage, Partition, keep_lowest_offsets
from triage.pipeline.stages.base import Stage
from triage.runtime.backoff import backoff
from triage.runtime.health import Health

log = get_logger("triage.worker")

# How soon a leg that waits for a dependency hears that the worker stops.
_SLICE_S = 0.1


class BatchAbandoned(Exception):  # noqa: N818 - no error: the worker stops, the batch is read again
    """A batch was let go because the worker stops or its feed is rebuilt."""


@dataclass(slots=True)
class InFlightBatch:
    """A batch on its way through the line, and how long each leg had it in hand, in seconds."""

    batch: Batch
    first: dict[Partition, int]
    begun: bool = False
    worked_s: float = 0.0
    stored_s: float = 0.0
    ended_by: BaseException | None = None


class StageExecutor:
    """Two threads in a row: `work` turns records into results, `store` writes them; batches come out in order.

    The thread that owns the feed puts batches in and takes them out; it bounds how many there are. A batch that waits
    for its turn can still be topped up. A stage that raises Unavailable is repeated by its own thread, with backoff.
    Any other exception ends the journey of its batch and of all behind it, and is raised by `take` in its turn: what
    was before it can be committed, nothing after it.
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
        self._under_way: deque[InFlightBatch] = deque()
        self._turn = threading.Lock()
        self._storing_since: float | None = None
        self._waiting: SimpleQueue[InFlightBatch | None] = SimpleQueue()
        self._worked: SimpleQueue[InFlightBatch | None] = SimpleQueue()
        self._arrived: deque[InFlightBatch] = deque()
        self._arrival = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(work,), name="work", daemon=True),
            threading.Thread(target=self._store, args=(store,), name="store", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Batches put in and not taken out."""
        return len(self._under_way)

    @property
    def storing_s(self) -> float:
        """For how long the batch that is being stored has been so; 0 without one."""
        since = self._storing_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def put(self, batch: Batch) -> None:
        journey = InFlightBatch(batch, batch.first_offsets())
        self._under_way.append(journey)
        self._waiting.put(journey)

    def top_up(
        self, messages: Sequence[ConsumedMessage], stale: Callable[[Sequence[ConsumedMessage]], set[Partition]]
    ) -> int:
        """Add messages, read behind those under way, to the batch that is not begun yet; how many it took.

        Partitions of the batch that are `stale` leave it first: later nothing would tell old records from new ones.
        """
        if not self._under_way or not messages:
            return 0
        journey = self._under_way[-1]
        with self._turn:
            if journey.begun:
                return 0
            batch = journey.batch
            batch.drop(stale(batch.incoming))
            batch.incoming = [*batch.incoming, *messages]
            journey.first = batch.first_offsets()
            return len(messages)

    def room(self, most: int) -> int:
        """How many records the batch that waits for its turn lacks to `most`; 0 where none waits."""
        journey = self._under_way[-1] if self._under_way else None
        return 0 if journey is None or journey.begun else max(0, most - len(journey.batch.incoming))

    def take(self) -> InFlightBatch | None:
        """The next batch that came through, None if there is none yet. Raises what ended its journey."""
        if not self._arrived:
            return None
        journey = self._arrived.popleft()
        if journey.ended_by is not None:
            raise journey.ended_by
        self._under_way.popleft()
        return journey

    def wait(self, timeout_s: float) -> bool:
        """Whether a batch has come through, after `timeout_s` real seconds at the latest."""
        arrived = bool(self._arrived) or self._arrival.wait(timeout_s)
        self._arrival.clear()
        return arrived

    def first_offsets(self) -> dict[Partition, int]:
        """The first offset of each partition in the batches under way."""
        first: dict[Partition, int] = {}
        for journey in self._under_way:
            keep_lowest_offsets(first, journey.first)
        return first

    def abandon(self) -> None:
        """Begin nothing more; what is under way comes to no end."""
        self._abandoned.set()
        self._waiting.put(None)

    def join(self) -> None:
        """Wait, as a worker that moves, until both threads have ended: a stage in work is not interrupted."""
        for thread in self._threads:
            while thread.is_alive():
                self._health.beat()
                thread.join(_SLICE_S)
        for journey in self._under_way:
            tracing.end(journey.batch.trace, journey.ended_by or BatchAbandoned())

    def _work(self, stages: Sequence[Stage]) -> None:
        broken = False
        while (journey := self._waiting.get()) is not None:
            self._begin(journey)
            # Behind a batch that failed nothing is worked on: the journal of what was in hand must stay as it is.
            if broken or self._stopping.is_set():
                journey.ended_by = BatchAbandoned()
            else:
                journey.worked_s = self._through(journey, stages)
                broken = journey.ended_by is not None
            self._worked.put(journey)
        self._worked.put(None)

    def _begin(self, journey: InFlightBatch) -> None:
        with self._turn:
            journey.begun = True
        if incoming := journey.batch.incoming:
            links = tracing.remotes(message.headers for message in incoming)
            journey.batch.trace = tracing.begin("process batch", kind="consumer", links=links, records=len(incoming))

    def _store(self, stages: Sequence[Stage]) -> None:
        broken = False
        while (journey := self._worked.get()) is not None:
            if broken and journey.ended_by is None:
                # What ended the one before may be a state that the next would overwrite.
                journey.ended_by = BatchAbandoned()
            elif journey.ended_by is None:
                self._storing_since = self._clock.monotonic()
                journey.stored_s = self._through(journey, stages)
                self._storing_since = None
            broken = journey.ended_by is not None
            self._arrived.append(journey)
            self._arrival.set()

    def _through(self, journey: InFlightBatch, stages: Sequence[Stage]) -> float:
        """Run the stages; seconds that it took."""
        started = self._clock.monotonic()
        try:
            for stage in stages:
                if self._abandoned.is_set():
                    raise BatchAbandoned
                self._repeat(stage, journey.batch)
        except BaseException as error:  # noqa: BLE001 - raised where the batch is taken out
            journey.ended_by = error
        return self._clock.monotonic() - started

    def _repeat(self, stage: Stage, batch: Batch) -> None:
        waits = backoff(self._settings.backoff_initial_s, self._settings.backoff_max_s)
        waited_for = ""
        while True:
            started = self._clock.monotonic()
            self._health.began(stage.name)
            try:
                with tracing.span(stage.name, parent=batch.trace, records=len(batch.incoming)):
                    stage.process(batch)
            except Unavailable as error:
                wait, waited_for = next(waits), error.dependency
                self._metrics.retries.labels(waited_for).inc()
                self._health.waiting_for(waited_for, str(error))
                log.warning("waiting_for_dependency", stage=stage.name, error=str(error), retry_in_s=round(wait, 1))
            else:
                self._metrics.stage_seconds.labels(stage.name).observe(self._clock.monotonic() - started)
                if waited_for:
                    self._health.recovered(waited_for)
                return
            finally:
                self._health.ended(stage.name)
            self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        """A worker that stops finishes what is begun, unless that waits for a dependency."""
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0:
            if self._abandoned.is_set() or self._stopping.is_set():
                raise BatchAbandoned
            self._clock.sleep(min(left, _SLICE_S))
