"""Reads single keys from a terminal, without waiting for Return."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Any, Self


class Keys:
    """Context manager in which `wait` returns the next key; if standard input is not a terminal, it only waits."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        if self._fd is not None:
            self._before = termios.tcgetattr(self._fd)
            tty.setcbreak(self._fd)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._fd is not None:
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def wait(self, seconds: float) -> str:
        """Return the pressed key; "" if there is none within `seconds`, or if the key sends several bytes."""
        watched = [] if self._fd is None else [self._fd]
        ready, _, _ = select.select(watched, [], [], seconds)
        if not ready:
            return ""
        assert self._fd is not None
        typed = os.read(self._fd, 16)
        return typed.decode("ascii", "replace") if len(typed) == 1 else ""
