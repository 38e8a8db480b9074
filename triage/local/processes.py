"""Starts, monitors and ends the child processes of the demo."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from triage.errors import TriageError

_STOP_TIMEOUT_S = 15.0


class ChildDiedError(TriageError):
    """A process of the demo ended unexpectedly; the message contains the end of its log."""


class Child:
    """One `triage` command as a child process, with its output in the file `log`.

    It has its own process group, so that Ctrl-C reaches only the parent.
    """

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "triage", *arguments],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises ChildDiedError if the process has ended."""
        code = self._process.poll()
        if code is not None:
            tail = "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-15:])
            raise ChildDiedError(f"{self.name} ended with exit code {code}; the end of {self.log}:\n{tail}")

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float = _STOP_TIMEOUT_S) -> int:
        """Wait for the end and return the exit code; after `timeout_s` the process group is killed."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()


def stop_all(children: Sequence[Child]) -> None:
    """Send SIGTERM to all processes, then wait for each."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait()
