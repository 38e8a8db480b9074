"""Hot reload: a new model or changed rules are taken over between two batches; broken ones are refused."""

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from triage.clock import Clock
from triage.errors import TriageError
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.runtime.health import Health

log = get_logger("triage.reload")

_JOIN_S = 10.0
_UNSEEN = ""


@dataclass
class Source:
    """One thing that can be replaced while the worker runs.

    `identity` is cheap, never empty, and changes with what is there; `load` makes it ready to serve, on a thread of its
    own, and may take long; `apply` takes it over and returns the versions before and after. `seen` is the identity of
    what serves, or of what was refused last.
    """

    kind: str
    identity: Callable[[], str]
    load: Callable[[], Any]
    apply: Callable[[Any], tuple[str, str]]
    seen: str
    refused: str | None = None


class Reloader:
    """The first stage: looks for something new every `poll_s` seconds (0: only when asked) and lets batches pass.

    It never touches the feed: partitions are kept, and offsets are committed as always.
    """

    name = "reload"

    def __init__(
        self,
        sources: Sequence[Source],
        versions: Callable[[], dict[str, str]],
        clock: Clock,
        poll_s: float,
        metrics: Metrics,
        health: Health,
    ) -> None:
        """`versions` are those in force, for the health page."""
        self._sources = sources
        self._versions = versions
        self._clock = clock
        self._poll_s = poll_s
        self._metrics = metrics
        self._health = health
        self._next_look = clock.monotonic() + poll_s
        self._asked = self._answered = 0
        self._more = False
        self._loading: _Loading | None = None

    def request(self) -> None:
        """Look at once, and try again what was refused. Safe from a signal handler and from other threads."""
        self._asked += 1

    def process(self, batch: Batch) -> None:
        """Take over what has been loaded; look for something new when it is time. Never waits, never fails."""
        del batch
        if self._loading is not None:
            if self._loading.is_alive():
                return
            self._finish(self._loading)
            self._loading = None
        if self._asked != self._answered:
            self._answered = self._asked
            for source in self._sources:
                source.seen = _UNSEEN if source.refused else source.seen
        elif not self._more and (not self._poll_s or self._clock.monotonic() < self._next_look):
            return
        new = next((source for source in self._sources if self._is_new(source)), None)
        self._next_look = self._clock.monotonic() + self._poll_s
        # After this one the others are looked at again, without waiting.
        self._more = new is not None
        if new is not None:
            self._loading = _Loading(new)
            self._loading.start()

    def close(self) -> None:
        """Wait for a load that goes on: a thread in the runtime's code must not outlive the interpreter."""
        if self._loading is not None:
            self._loading.join(_JOIN_S)

    def _is_new(self, source: Source) -> bool:
        try:
            identity = source.identity()
        except (TriageError, OSError) as error:
            identity = f"error: {error}"
        new = identity != source.seen
        source.seen = identity
        return new

    def _finish(self, loading: "_Loading") -> None:
        source = loading.source
        if loading.error is None:
            before, after = source.apply(loading.loaded)
            source.refused = None
            self._metrics.reloads.labels(source.kind, "swapped").inc()
            log.info("reloaded", kind=source.kind, version=after, previous=before)
            self._health.tell(versions=self._versions())
        else:
            source.refused = str(loading.error) or type(loading.error).__name__
            self._metrics.reloads.labels(source.kind, "refused").inc()
            log.error("reload_refused", kind=source.kind, reason=source.refused, instead="the old one goes on")
        refused = {source.kind: source.refused for source in self._sources if source.refused}
        self._health.tell(refused=refused or None)


class _Loading(threading.Thread):
    def __init__(self, source: Source) -> None:
        super().__init__(name=f"load-{source.kind}", daemon=True)
        self.source = source
        self.loaded: Any = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.loaded = self.source.load()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the newcomer, the old one goes on
            self.error = error


def reload_on_hangup(request: Callable[[], None]) -> None:
    """SIGHUP asks for a reload at once, as daemons have it."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        request()

    signal.signal(signal.SIGHUP, on_signal)
