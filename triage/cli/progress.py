"""Progress of a command over a known number of items.

A bar on a terminal, otherwise a log line every 5 s.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from triage.clock import Clock
from triage.logging import get_logger

if TYPE_CHECKING:
    from rich.progress import Progress

LOG_EVERY_S = 5.0
DRAW_EVERY_S = 0.1


class Bar:
    """Base class of progress bars: a bar on a terminal, nothing elsewhere. Subclasses create `_bar` when entered."""

    _bar: "Progress | None" = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, message: str) -> None:
        """Print a line on standard error, above the bar if there is one."""
        if self._bar is None:
            print(message, file=sys.stderr)  # noqa: T201 - the command's own messages
        else:
            self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)


class CountProgress(Bar):
    """A progress bar with counts, for commands that run for minutes.

    `show` updates the progress; `say` prints a line on standard error, above the bar.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._log = get_logger(f"triage.{name}")
        self._clock = clock
        self._started = self._shown = clock.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn(self._name),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]:,.0f}/s {task.fields[more]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("", total=None, rate=0.0, more="")
            self._bar.start()
        return self

    def show(self, done: int, total: int, **more: int) -> None:
        now = self._clock.monotonic()
        if now - self._shown < (LOG_EVERY_S if self._bar is None else DRAW_EVERY_S) and done < total:
            return
        self._shown = now
        rate = done / max(now - self._started, 1e-3)
        if self._bar is None:
            self._log.info(f"{self._name}_progress", done=done, total=total, per_s=round(rate), **more)
            return
        extra = ", ".join(f"{name} {count:,}" for name, count in more.items() if count)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, rate=rate, more=extra)


@contextmanager
def waiting(activity: str) -> Iterator[None]:
    """Show a spinner on a terminal while the block runs."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(activity):
        yield
