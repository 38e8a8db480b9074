"""Ends a process that hangs, after logging its stacks. Uncommitted work is not lost: a successor repeats it."""

import contextlib
import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Self

from triage.clock import Clock
from triage.logging import get_logger
from triage.runtime.health import Health
from triage.runtime.last_resort import LastResort

log = get_logger("triage.watchdog")

EXIT_STUCK = 70
_INTERVAL_S = 1.0


class Watchdog:
    """A thread that watches `health` and ends a process that is stuck. It uses the monotonic clock.

    When the process is stuck, the stacks of all threads are logged; if it is still stuck `exit_after_s` seconds later,
    the process exits with status 70. If native code holds the interpreter lock, so that no Python thread runs, a
    `LastResort` does the same after both times (`stuck_after_s` is the limit of `health`). Use it as a context manager,
    or call `start` and `close`.
    """

    def __init__(
        self,
        health: Health,
        clock: Clock,
        stuck_after_s: float,
        exit_after_s: float,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._health = health
        self._clock = clock
        self._limit_s = stuck_after_s + exit_after_s + 2 * _INTERVAL_S
        self._exit_after_s = exit_after_s
        self._exit = exit_process
        self._stuck_since: float | None = None
        self._closed = threading.Event()
        self._last_resort = LastResort(EXIT_STUCK)
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def start(self) -> None:
        """Start watching. From then on a crash in native code also writes its stacks to standard error."""
        with contextlib.suppress(ValueError, OSError, RuntimeError, AttributeError):
            faulthandler.enable()
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._last_resort.disarm()

    def look(self) -> None:
        """Check the health once, and log or exit if the process is stuck; called by the thread every second."""
        if not self._health.stuck:
            if self._stuck_since is not None:
                log.warning("moving_again")
            self._stuck_since = None
            return
        name, seconds = self._health.standing_still()
        now = self._clock.monotonic()
        if self._stuck_since is None:
            self._stuck_since = now
            log.error(
                "stuck", what=name, seconds=round(seconds, 1), exit_in_s=self._exit_after_s, stacks=stacks()
            )  # fmt: skip
        if now - self._stuck_since >= self._exit_after_s:
            log.error("exit_because_stuck", what=name, seconds=round(seconds, 1), status=EXIT_STUCK)
            self._exit(EXIT_STUCK)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._last_resort.arm(self._limit_s)
            self.look()
            self._closed.wait(_INTERVAL_S)


def stacks() -> dict[str, list[str]]:
    """Return the stack of every thread by its name, innermost call last, as lines `file:line function`."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        names.get(ident, str(ident)): [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_stack(top)
        ]
        for ident, top in sys._current_frames().items()  # noqa: SLF001 - the documented way to all stacks
    }
