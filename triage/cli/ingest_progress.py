"""What `triage ingest` shows while it runs: a bar on a terminal, elsewhere a log line now and then."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from triage.clock import Clock
from triage.logging import get_logger
from triage.sources.stream import STDIN

if TYPE_CHECKING:
    from rich.progress import Progress

    from triage.sources.ingest import Account

log = get_logger("triage.ingest")

_LOG_EVERY_S = 5.0
_DRAW_EVERY_S = 0.1


class IngestProgress:
    """Bytes of the files, where their sizes are known, and rows; `say` prints without tearing the bar."""

    def __init__(self, paths: Sequence[str], clock: Clock) -> None:
        self._clock = clock
        self._started = self._shown = clock.monotonic()
        self._bytes = 0
        self._total = None if STDIN in paths else sum(Path(path).stat().st_size for path in paths)
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.fields[rows]:,} rows, {task.fields[refused]:,} refused"),
                BarColumn(),
                DownloadColumn(),
                TextColumn("{task.fields[rate]:,.0f} rows/s"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("", total=self._total, rows=0, refused=0, rate=0.0)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def read(self, count: int) -> None:
        """More bytes of a file were read."""
        self._bytes += count

    def row(self, account: "Account") -> None:
        """One more row is done."""
        now = self._clock.monotonic()
        if now - self._shown < (_LOG_EVERY_S if self._bar is None else _DRAW_EVERY_S):
            return
        self._shown = now
        rate = account.rows / max(now - self._started, 1e-3)
        if self._bar is None:
            log.info(
                "ingest_progress",
                rows=account.rows,
                refused=account.refused,
                rows_per_s=round(rate),
                read_bytes=self._bytes,
                of_bytes=self._total,
            )
        else:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._bytes, rows=account.rows, refused=account.refused, rate=rate)

    def say(self, message: str) -> None:
        """Print a line, above the bar if there is one."""
        if self._bar is None:
            print(message, file=sys.stderr)  # noqa: T201 - the command's own messages
        else:
            self._bar.console.print(message, markup=False, highlight=False, soft_wrap=True)
