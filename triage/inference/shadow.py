"""Runs a shadow model on a share of the live model's batches and counts where their predictions differ.

The worker's thread calls `offer`, which never blocks: it puts the batch into a queue of size one or counts it as
skipped. One thread of low priority loads the shadow model, takes batches from the queue and compares; it owns the
agreement counts.
"""

import contextlib
import os
import queue
import random
import threading
from collections.abc import Callable, Sequence

from triage.clock import Clock
from triage.inference.compare import HEADS, changes
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.types import Model, Prediction

_log = get_logger(__name__)
_SUMMARY_S = 300.0
_MOST_FAILURES = 3  # in a row
_NICE = 10
_JOIN_S = 10.0

Batch = tuple[str, Sequence[str], Sequence[Prediction]]
"""Version of the live model, texts, and its predictions."""


class Shadow:
    """Classifies sampled batches with the shadow model, one at a time, on its own thread.

    A batch that arrives while the shadow model is busy or still loading is counted as skipped. Errors are logged and
    counted; after three consecutive failures the shadow model is turned off. The live model is never affected.
    """

    def __init__(
        self,
        load: Callable[[], Model],
        share: float,
        max_texts: int,
        metrics: Metrics,
        clock: Clock,
        rng: random.Random | None = None,
    ) -> None:
        self._load = load
        self._share = share
        self._max_texts = max_texts
        self._metrics = metrics
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - a sample, not a secret
        self._queue: queue.Queue[Batch | None] = queue.Queue(maxsize=1)
        self._stopping = False
        self._agreement = _Agreement("", "")
        self._next_summary = clock.monotonic() + _SUMMARY_S
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Start the thread, which loads the shadow model and then waits for batches."""
        self._thread.start()

    def offer(self, live: str, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Offer texts and their predictions by the model `live` (name@version); only a random share is compared."""
        if self._stopping or not texts or self._rng.random() >= self._share:
            return
        try:
            self._queue.put_nowait((live, texts[: self._max_texts], predictions[: self._max_texts]))
        except queue.Full:
            self._metrics.shadow_skipped.labels("busy").inc()

    def wait(self) -> None:
        """Block until the shadow model has processed every accepted batch."""
        self._queue.join()

    def close(self) -> None:
        """Stop the thread and log the agreement. Waits for the batch in progress, at most ten seconds."""
        self._stopping = True
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._agreement.log()

    def _run(self) -> None:
        # Linux has a priority per thread; with one intra-op thread the model computes on this thread.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            model = self._load()
        except Exception as error:  # noqa: BLE001 - no error of the shadow model may stop the live model
            _log.error("shadow_refused", reason=str(error), instead="the live model continues alone")
            self._turn_off()
            return
        failures = 0
        while failures < _MOST_FAILURES:
            batch = self._queue.get()
            try:
                if batch is None or self._stopping:
                    return
                self._compare(model, *batch)
                failures = 0
            except Exception as error:  # noqa: BLE001
                failures += 1
                self._metrics.shadow_skipped.labels("failed").inc()
                _log.warning("shadow_failed", reason=str(error), in_a_row=failures)
            finally:
                self._queue.task_done()
        _log.error("shadow_off", reason=f"{failures} batches in a row failed")
        self._turn_off()

    def _turn_off(self) -> None:
        """Refuse further batches and empty the queue, so that `wait` returns."""
        self._stopping = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
                self._queue.task_done()

    def _compare(self, model: Model, live: str, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        started = self._clock.monotonic()
        others = model.predict(texts)
        self._metrics.shadow_seconds.observe(self._clock.monotonic() - started)
        if (self._agreement.live, self._agreement.shadow) != (live, model.version):
            self._agreement.log()
            self._agreement = _Agreement(live, model.version)
        self._metrics.shadow_texts.inc(len(texts))
        self._agreement.texts += len(texts)
        for one, other in zip(predictions, others, strict=True):
            for head in changes(one, other):
                self._agreement.disagreements[head] += 1
                self._metrics.shadow_disagreements.labels(head).inc()
        if self._clock.monotonic() >= self._next_summary:
            self._next_summary = self._clock.monotonic() + _SUMMARY_S
            self._agreement.log()


class _Agreement:
    """Counts of texts and disagreements of one pair of models."""

    def __init__(self, live: str, shadow: str) -> None:
        self.live = live
        self.shadow = shadow
        self.texts = 0
        self.disagreements = dict.fromkeys(HEADS, 0)

    def log(self) -> None:
        if self.texts:
            agreement = {head: round(1 - count / self.texts, 4) for head, count in self.disagreements.items()}
            _log.info("shadow_summary", live=self.live, shadow=self.shadow, texts=self.texts, agreement=agreement)
