"""One reading for all open pages: however many there are, Elasticsearch is asked once per interval."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from triage.clock import Clock
from triage.console.snapshot import Snapshot
from triage.errors import TriageError
from triage.logging import get_logger

log = get_logger("triage.console")

Reader = Callable[[], Snapshot]


class SharedSnapshot:
    """Caches the last reading. `read` blocks, so it runs on a thread; a failure keeps the last good reading."""

    def __init__(self, read: Reader, clock: Clock, *, simulated: bool = False, interval_s: float = 2.0) -> None:
        self._read = read
        self._clock = clock
        self._interval_s = interval_s
        self._last = Snapshot(at_ms=clock.now_ms(), simulated=simulated, known=False)
        self._due = clock.monotonic()
        self._lock = asyncio.Lock()

    async def within(self, seconds: float) -> Snapshot:
        """`current`, or the last reading if that takes longer."""
        reading = asyncio.ensure_future(self.current())
        done, _ = await asyncio.wait([reading], timeout=seconds)
        return reading.result() if done else self._last

    async def current(self) -> Snapshot:
        """The last reading, renewed first if it is older than the interval. Never raises a TriageError."""
        async with self._lock:
            if self._clock.monotonic() >= self._due:
                began = self._clock.monotonic()
                self._last = await self._renewed()
                # A busy Elasticsearch is asked less often: reading never takes more than half of the time.
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
