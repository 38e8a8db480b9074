"""Hot reload: loads a new model or changed rules and uses them from the next batch on; invalid ones are refused."""

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
class Replaceable:
    """The model or the rules, which can be replaced while the process runs.

    `kind` is "model" or "rules". `identity` returns a text that changes with the files; it is fast and never empty.
    `load` prepares a new one, on a separate thread, and may take long; `apply` puts it to use and returns the versions
    before and after. `seen` is the identity checked last. `refused` is the reason why the last new one was not used,
    None if it was.
    """

    kind: str
    identity: Callable[[], str]
    load: Callable[[], Any]
    apply: Callable[[Any], tuple[str, str]]
    seen: str
    refused: str | None = None


class Reloader:
    """The first stage: checks for a new model or rules every `poll_s` seconds (0: only on request); changes no batch.

    It does not affect the source: partitions stay assigned, and offsets are committed as usual.
    """

    name = "reload"

    def __init__(
        self,
        replaceables: Sequence[Replaceable],
        versions: Callable[[], dict[str, str]],
        clock: Clock,
        poll_s: float,
        metrics: Metrics,
        health: Health,
    ) -> None:
        """Create the reloader; `versions` returns the versions that are used now, for the health page."""
        self._replaceables = replaceables
        self._versions = versions
        self._clock = clock
        self._poll_s = poll_s
        self._metrics = metrics
        self._health = health
        self._next_look = clock.monotonic() + poll_s
        self._requests = self._served_requests = 0
        self._more = False
        self._loading: _Loading | None = None

    def request(self) -> None:
        """Make the next `process` check for changes at once, and reload what was refused.

        It may be called from a signal handler and from other threads.
        """
        self._requests += 1

    def process(self, batch: Batch) -> None:
        """Put a model or rules that have been loaded to use, and check for changed files when that is due.

        The batch is not changed. Never waits and never raises.
        """
        del batch
        if self._loading is not None:
            if self._loading.is_alive():
                return
            self._finish(self._loading)
            self._loading = None
        if self._requests != self._served_requests:
            self._served_requests = self._requests
            for each in self._replaceables:
                each.seen = _UNSEEN if each.refused else each.seen
        elif not self._more and (not self._poll_s or self._clock.monotonic() < self._next_look):
            return
        new = next((each for each in self._replaceables if self._is_new(each)), None)
        self._next_look = self._clock.monotonic() + self._poll_s
        # After this one the others are checked again, without waiting.
        self._more = new is not None
        if new is not None:
            self._loading = _Loading(new)
            self._loading.start()

    def close(self) -> None:
        """Wait up to 10 s for a load in progress: native code of ONNX Runtime must not outlive the interpreter."""
        if self._loading is not None:
            self._loading.join(_JOIN_S)

    def _is_new(self, replaceable: Replaceable) -> bool:
        try:
            identity = replaceable.identity()
        except (TriageError, OSError) as error:
            identity = f"error: {error}"
        new = identity != replaceable.seen
        replaceable.seen = identity
        return new

    def _finish(self, loading: "_Loading") -> None:
        replaceable = loading.replaceable
        if loading.error is None:
            before, after = replaceable.apply(loading.loaded)
            replaceable.refused = None
            self._metrics.reloads.labels(replaceable.kind, "swapped").inc()
            log.info("reloaded", kind=replaceable.kind, version=after, previous=before)
            self._health.describe(versions=self._versions())
        else:
            replaceable.refused = str(loading.error) or type(loading.error).__name__
            self._metrics.reloads.labels(replaceable.kind, "refused").inc()
            log.error("reload_refused", kind=replaceable.kind, reason=replaceable.refused, instead="the old one stays")
        refused = {each.kind: each.refused for each in self._replaceables if each.refused}
        self._health.describe(refused=refused or None)


class _Loading(threading.Thread):
    def __init__(self, replaceable: Replaceable) -> None:
        super().__init__(name=f"load-{replaceable.kind}", daemon=True)
        self.replaceable = replaceable
        self.loaded: Any = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            self.loaded = self.replaceable.load()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new one, the old one stays
            self.error = error


def reload_on_hangup(request: Callable[[], None]) -> None:
    """Install a handler for SIGHUP that calls `request`."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        request()

    signal.signal(signal.SIGHUP, on_signal)
