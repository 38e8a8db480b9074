"""Progress of `triage ingest` and `enrich`: a bar on a terminal, otherwise a log line every 5 s."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from triage.cli.progress import DRAW_EVERY_S, LOG_EVERY_S, Bar
from triage.clock import Clock
from triage.logging import get_logger
from triage.sources.stream import STDIN

if TYPE_CHECKING:
    from triage.sources.ingest import Account


class IngestProgress(Bar):
    """Shows the number of rows, and the bytes read if all files have a known size.

    `say` prints a line above the bar.
    """

    def __init__(self, paths: Sequence[str], clock: Clock, name: str = "ingest", *, quiet: bool = False) -> None:
        """Prepare the progress of reading `paths`; `quiet` shows none, for commands that print a line per row."""
        self._quiet = quiet
        self._name = name
        self._log = get_logger(f"triage.{name}")
        self._clock = clock
        self._started = self._shown = clock.monotonic()
        self._bytes = 0
        known = STDIN not in paths and all(Path(path).is_file() for path in paths)
        self._total = sum(Path(path).stat().st_size for path in paths) if known else None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._quiet:
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

    def read(self, count: int) -> None:
        """Add `count` to the number of bytes read."""
        self._bytes += count

    def row(self, account: "Account") -> None:
        """Update the progress display after a row, with the counts of `account`."""
        self.rows(account.rows, account.refused)

    def rows(self, rows: int, refused: int) -> None:
        """Show the number of rows read and refused so far: every 0.1 s in the bar, or every 5 s as a log line."""
        now = self._clock.monotonic()
        if self._quiet or now - self._shown < (LOG_EVERY_S if self._bar is None else DRAW_EVERY_S):
            return
        self._shown = now
        rate = rows / max(now - self._started, 1e-3)
        if self._bar is None:
            self._log.info(
                f"{self._name}_progress",
                rows=rows,
                refused=refused,
                rows_per_s=round(rate),
                read_bytes=self._bytes,
                of_bytes=self._total,
            )
        else:
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self._bytes, rows=rows, refused=refused, rate=rate)
