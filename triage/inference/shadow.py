"""A shadow model beside the live one: it judges a share of the batches too, and is only counted."""

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
_GIVE_UP_AFTER = 3
_NICE = 10
_JOIN_S = 10.0

Offer = tuple[str, Sequence[str], Sequence[Prediction]]


class Shadow:
    """Judges sampled batches on a thread of its own, of low priority, at most one at a time.

    `offer` never waits: a batch that comes while the shadow model is busy, or still loading, is counted as skipped.
    Whatever goes wrong here is logged and counted, and after three failures in a row the shadow model is turned off;
    the live model never notices.
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
        self._queue: queue.Queue[Offer | None] = queue.Queue(maxsize=1)
        self._stopping = False
        self._tally = _Tally("", "")
        self._next_summary = clock.monotonic() + _SUMMARY_S
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Load the shadow model and judge, both on its own thread."""
        self._thread.start()

    def offer(self, live: str, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Texts and what the live model, `name@version`, said of them. Takes its share of the calls."""
        if self._stopping or not texts or self._rng.random() >= self._share:
            return
        try:
            self._queue.put_nowait((live, texts[: self._max_texts], predictions[: self._max_texts]))
        except queue.Full:
            self._metrics.shadow_skipped.labels("busy").inc()

    def wait(self) -> None:
        """Until everything that was taken has been judged."""
        self._queue.join()

    def close(self) -> None:
        """End the thread and log what was found. Waits for the batch in hand, at most ten seconds."""
        self._stopping = True
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._tally.log()

    def _run(self) -> None:
        # Linux has a priority for each thread; with one intra-op thread the model computes on this one.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        try:
            model = self._load()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the shadow, the live model goes on
            _log.error("shadow_refused", reason=str(error), instead="the live model goes on alone")
            self._off()
            return
        failures = 0
        while failures < _GIVE_UP_AFTER:
            offered = self._queue.get()
            try:
                if offered is None or self._stopping:
                    return
                self._compare(model, *offered)
                failures = 0
            except Exception as error:  # noqa: BLE001
                failures += 1
                self._metrics.shadow_skipped.labels("failed").inc()
                _log.warning("shadow_failed", reason=str(error), in_a_row=failures)
            finally:
                self._queue.task_done()
        _log.error("shadow_off", reason=f"{failures} batches in a row failed")
        self._off()

    def _off(self) -> None:
        self._stopping = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
                self._queue.task_done()

    def _compare(self, model: Model, live: str, texts: Sequence[str], predictions: Sequence[Prediction]) -> None:
        started = self._clock.monotonic()
        others = model.predict(texts)
        self._metrics.shadow_seconds.observe(self._clock.monotonic() - started)
        if (self._tally.live, self._tally.shadow) != (live, model.version):
            self._tally.log()
            self._tally = _Tally(live, model.version)
        self._metrics.shadow_texts.inc(len(texts))
        self._tally.texts += len(texts)
        for one, other in zip(predictions, others, strict=True):
            for head in changes(one, other):
                self._tally.disagreements[head] += 1
                self._metrics.shadow_disagreements.labels(head).inc()
        if self._clock.monotonic() >= self._next_summary:
            self._next_summary = self._clock.monotonic() + _SUMMARY_S
            self._tally.log()


class _Tally:
    """Agreement of one pair of models so far."""

    def __init__(self, live: str, shadow: str) -> None:
        self.live = live
        self.shadow = shadow
        self.texts = 0
        self.disagreements = dict.fromkeys(HEADS, 0)

    def log(self) -> None:
        if self.texts:
            agreement = {head: round(1 - count / self.texts, 4) for head, count in self.disagreements.items()}
            _log.info("shadow_summary", live=self.live, shadow=self.shadow, texts=self.texts, agreement=agreement)
