"""Values that all open pages share, each read at most once per interval, independent of the number of pages."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Self, TypeVar

from triage.clock import Clock
from triage.console.data.snapshot import Snapshot
from triage.elastic.completeness import noting
from triage.errors import TriageError
from triage.logging import get_logger

log = get_logger("triage.console")

Reader = Callable[[], Snapshot]
T = TypeVar("T")


class SharedSnapshot:
    """The last snapshot for the page *Now*, shared by all visitors and read again after `interval_s` seconds.

    `read` blocks and runs on a thread. If it fails, the last successful snapshot is kept, with the reason in `error`.
    """

    def __init__(self, read: Reader, clock: Clock, *, simulated: bool = False, interval_s: float = 2.0) -> None:
        self._read = read
        self._clock = clock
        self._interval_s = interval_s
        self._last = Snapshot(at_ms=clock.now_ms(), simulated=simulated, known=False)
        self._due = clock.monotonic()
        self._lock = asyncio.Lock()

    async def within(self, seconds: float) -> Snapshot:
        """Return the snapshot, read again if it is due; the previous one if reading takes longer than `seconds`."""
        reading = asyncio.ensure_future(self.current())
        done, _ = await asyncio.wait([reading], timeout=seconds)
        return reading.result() if done else self._last

    async def current(self) -> Snapshot:
        """Return the snapshot, after reading it again if it is older than `interval_s`. Never raises a TriageError."""
        async with self._lock:
            if self._clock.monotonic() >= self._due:
                began = self._clock.monotonic()
                self._last = await self._renewed()
                # A slow Elasticsearch is read less often: reading never takes more than half of the time.
                now = self._clock.monotonic()
                self._due = now + max(self._interval_s, now - began)
            return self._last

    async def _renewed(self) -> Snapshot:
        try:
            snapshot = await asyncio.to_thread(self._read)
        except TriageError as error:
            if self._last.error is None:
                log.warning("console_read_failed", error=str(error))
            return replace(self._last, error=str(error))
        if self._last.error is not None:
            log.info("console_read_recovered")
        return snapshot


class SharedReading(Generic[T]):
    """The last value that `read` returned, shared by all open pages and read again after `interval_s` seconds.

    `read` blocks and runs on a thread, one call at a time. `value` is None until the first success; `gaps` describes
    data that Elasticsearch could not read. `error` is the reason if the last attempt failed, else None.
    """

    def __init__(self, read: Callable[[], T], clock: Clock, interval_s: float) -> None:
        self._read = read
        self._clock = clock
        self._interval_s = interval_s
        self._due = clock.monotonic()
        self._lock = asyncio.Lock()
        self.value: T | None = None
        self.gaps: tuple[str, ...] = ()
        self.error: str | None = None

    async def within(self, seconds: float) -> Self:
        """Return this object, its value read again if it is due; after `seconds` at the latest, with the old value."""
        reading = asyncio.ensure_future(self.current())
        await asyncio.wait([reading], timeout=seconds)
        return self

    async def current(self) -> Self:
        """Return this object, whose value is read again first if it is older than `interval_s` seconds.

        Never raises a TriageError.
        """
        async with self._lock:
            if self._clock.monotonic() >= self._due:
                began = self._clock.monotonic()
                try:
                    with noting() as gaps:
                        self.value = await asyncio.to_thread(self._read)
                    self.gaps, self.error = tuple(gaps), None
                except TriageError as error:
                    self.error = str(error)
                now = self._clock.monotonic()
                self._due = now + max(self._interval_s, now - began)
            return self
