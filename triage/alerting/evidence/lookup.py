"""Looks alerts up in the index: those of a page before it is sent, the others behind them, one at a time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.lifecycle.episode import Episode
from triage.logging import get_logger
from triage.schemas.alert import Alert, Evidence

log = get_logger("triage.alerter")

_WAIT_S = 8.0
_RETRY_S = 10.0
_ATTEMPTS = 5

LookUp = Callable[[Alert, int], Evidence | None]
Found = Callable[[PartitionEngine, Episode], None]


class EvidenceLookup:
    """`look_up(alert, end_ms)` blocks and returns None where it does not know; `found` hears of what it told an engine.

    The window looked at is the episode's largest so far: by the time of the page, or after a restart, the latest one
    may be empty again.
    """

    def __init__(self, look_up: LookUp, found: Found, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._look_up = look_up
        self._found = found
        self._spawn = spawn
        self._asking: dict[tuple[PartitionEngine, str], asyncio.Task[None]] = {}
        self._queue: dict[str, tuple[PartitionEngine, int]] = {}
        self._working = False

    async def find(self, engine: PartitionEngine, dedup_key: str, *, again: bool = False) -> None:
        """Attach what is found to the engine's episode; nothing if it has been found before, unless `again`."""
        if engine.evidence(dedup_key) is not None and not again:
            return
        asked = engine, dedup_key
        if asked not in self._asking:
            self._asking[asked] = asyncio.create_task(self._ask(engine, dedup_key), name="find")
            self._asking[asked].add_done_callback(lambda _: self._asking.pop(asked, None))
        await asyncio.wait({self._asking[asked]})

    def later(self, engine: PartitionEngine, episode: Episode) -> None:
        """Look an alert up that nobody is told of now, or of which nothing was found before."""
        if episode.state == "pending" or engine.evidence(episode.dedup_key) is not None:
            return
        self._queue.setdefault(episode.dedup_key, (engine, 1))
        if not self._working:
            self._working = True
            self._spawn(self._work())

    def drop(self) -> None:
        """Forget whom others own now."""
        self._queue.clear()

    async def _work(self) -> None:
        try:
            while self._queue:
                dedup_key = next(iter(self._queue))
                engine, attempt = self._queue[dedup_key]
                await self.find(engine, dedup_key)
                if self._queue.pop(dedup_key, None) is None or engine.episode(dedup_key) is None:
                    continue
                if engine.evidence(dedup_key) is None and attempt < _ATTEMPTS:
                    # Behind the others: the index is away, or this one is too much for it now.
                    self._queue[dedup_key] = engine, attempt + 1
                    await asyncio.sleep(_RETRY_S)
        finally:
            self._working = False

    async def _ask(self, engine: PartitionEngine, dedup_key: str) -> None:
        episode = engine.episode(dedup_key)
        if episode is None:
            return
        end_ms = episode.peak_end_ms or episode.end_ms
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await asyncio.to_thread(self._look_up, engine.alert(episode), end_ms)
            if found is not None and (after := engine.attach(dedup_key, found)) is not None:
                self._found(engine, after)
        except TimeoutError:
            log.warning("alert_without_examples", dedup_key=dedup_key, error=f"no answer within {_WAIT_S:g} s")
        except Exception:
            # A page goes out whatever is wrong with the index or with what is read there.
            log.exception("alert_without_examples", dedup_key=dedup_key)
