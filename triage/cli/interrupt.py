"""Graceful stop on Ctrl-C and SIGTERM: completes the current row, and waits for the delivery of sent rows."""

import signal
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self, TypeVar

T = TypeVar("T")


class _Stopped(Exception):  # noqa: N818 - a signal, not an error
    pass


class Interruptible:
    """Context manager: the first SIGINT or SIGTERM only sets `requested`, a second one raises KeyboardInterrupt.

    `until_stopped` also interrupts a read from a terminal or pipe, which may never return. Main thread only.
    """

    def __init__(self) -> None:
        self.requested = False
        self._blocked = False
        self._before: dict[signal.Signals, object] = {}

    def until_stopped(self, items: Iterator[T]) -> Iterator[T]:
        """Yield the items until they end, or a signal requests a stop."""
        while not self.requested:
            try:
                self._blocked = True
                item = next(items)
                self._blocked = False
            except (StopIteration, _Stopped):
                return
            finally:
                self._blocked = False
            yield item

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        if self._blocked:
            self._blocked = False
            raise _Stopped
