"""Starts, monitors and stops the child processes of the demo."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from triage.clock import Clock
from triage.errors import ConfigError, TriageError

_STOP_TIMEOUT_S = 15.0
_MAX_RESTARTS = 5
_RESTART_PERIOD_S = 60.0


class ChildDiedError(TriageError):
    """A process of the demo ended unexpectedly; the message contains the end of its log."""


class Child:
    """One `triage` command as a child process, whose output is appended to the file `log`.

    It has its own process group, so that Ctrl-C reaches only the parent.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = environment
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "triage", *self._arguments],
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the process, the negated number of the signal that ended it, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise ChildDiedError if the child process has ended."""
        if self.exit_code is not None:
            tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])
            raise ChildDiedError(f"{self.name} {self._ending()}; the end of {self.log}:\n{tail}")

    def restart(self) -> str:
        """Start the child process again after it has ended; returns a description of how it ended."""
        ending = self._ending()
        self._process = self._start()
        return ending

    def _ending(self) -> str:
        code = self.exit_code
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float = _STOP_TIMEOUT_S) -> int:
        """Wait until the process ends; return its exit code. After `timeout_s` seconds its process group is killed."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Send SIGTERM to all child processes, then wait until each has ended."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait()


class Supervisor:
    """Restarts children that have ended, as a process manager does, and reports it to `say`.

    A child that cannot start (exit code 2: its settings are refused), or was restarted five times within a minute, is
    not restarted.
    """

    def __init__(self, children: Sequence[Child], clock: Clock, say: Callable[[str], None]) -> None:
        self._children = children
        self._clock = clock
        self._say = say
        self._restarts: dict[str, deque[float]] = {child.name: deque(maxlen=_MAX_RESTARTS) for child in children}

    def check(self) -> None:
        """Restart children that have ended. Raises ChildDiedError for one that is not restarted any more."""
        for child in self._children:
            code = child.exit_code
            if code is None:
                continue
            recent, now = self._restarts[child.name], self._clock.monotonic()
            often = len(recent) == _MAX_RESTARTS and now - recent[0] < _RESTART_PERIOD_S
            if code == ConfigError.exit_code or often:
                child.check()
            recent.append(now)
            ending = child.restart()
            self._say(f"{child.name} {ending}: started again, pid {child.pid}")
