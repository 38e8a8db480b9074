"""Logs the outages of dependencies, each in two lines: its first failure and its end."""

import threading

from triage.clock import Clock
from triage.logging import get_logger

log = get_logger("triage.outages")


class Outages:
    """The current outages, by dependency. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # When each began, and how often the dependency has failed since.
        self._open: dict[str, tuple[float, int]] = {}

    def failed(self, dependency: str, why: str) -> None:
        """Record a failure of a dependency, and log it with its reason `why` if it is the first of an outage.

        Further failures are only counted.
        """
        with self._lock:
            since, failures = self._open.get(dependency, (self._clock.monotonic(), 0))
            self._open[dependency] = (since, failures + 1)
        if not failures:
            log.warning(
                "dependency_unavailable", dependency=dependency, error=why, then="the work waits and tries again"
            )

    def over(self, dependency: str | None = None) -> None:
        """Record that this dependency (None: every one) answers again; logs the duration and number of failures."""
        with self._lock:
            names = [name for name in self._open if dependency in (None, name)]
            ended = [(name, *self._open.pop(name)) for name in names]
        for name, since, failures in ended:
            log.info(
                "dependency_available_again", dependency=name, after_s=round(self._clock.monotonic() - since, 1),
                failures=failures,
            )  # fmt: skip
