"""Looks up the evidence of alerts in the index: for a page before it is sent, for others in the background."""

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
OnEvidence = Callable[[PartitionEngine, Episode], None]


class EvidenceLookup:
    """Looks up the evidence (examples, unusual values) of episodes in the index, and attaches it to them.

    `look_up(alert, end_ms)` runs in a thread for at most 8 s; it returns None if the index does not answer. After each
    look-up that attached something, `on_evidence(engine, episode)` is called. The window that is looked up is the
    episode's largest so far: by the time of the page, or after a restart, the latest one may be empty again.
    """

    def __init__(
        self, look_up: LookUp, on_evidence: OnEvidence, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._look_up = look_up
        self._on_evidence = on_evidence
        self._spawn = spawn
        self._in_flight: dict[tuple[PartitionEngine, str], asyncio.Task[None]] = {}
        self._queue: dict[str, tuple[PartitionEngine, int]] = {}
        self._working = False

    async def find(self, engine: PartitionEngine, dedup_key: str, *, again: bool = False) -> None:
        """Look up the evidence of an episode, and wait for it, at most 8 s. Never raises.

        Does nothing if the episode has evidence, unless `again`.
        """
        if engine.evidence(dedup_key) is not None and not again:
            return
        lookup = engine, dedup_key
        if lookup not in self._in_flight:
            self._in_flight[lookup] = asyncio.create_task(self._query(engine, dedup_key), name="find")
            self._in_flight[lookup].add_done_callback(lambda _: self._in_flight.pop(lookup, None))
        await asyncio.wait({self._in_flight[lookup]})

    def enqueue(self, engine: PartitionEngine, episode: Episode) -> None:
        """Look up the evidence of an episode in the background, unless it has some already or is pending."""
        if episode.state == "pending" or engine.evidence(episode.dedup_key) is not None:
            return
        self._queue.setdefault(episode.dedup_key, (engine, 1))
        if not self._working:
            self._working = True
            self._spawn(self._work())

    def drop(self) -> None:
        """Empty the queue, because other alerters may have taken over the partitions of its episodes."""
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
                    # After the others: the index is unavailable, or this query is too large for it at the moment.
                    self._queue[dedup_key] = engine, attempt + 1
                    await asyncio.sleep(_RETRY_S)
        finally:
            self._working = False

    async def _query(self, engine: PartitionEngine, dedup_key: str) -> None:
        episode = engine.episode(dedup_key)
        if episode is None:
            return
        end_ms = episode.peak_end_ms or episode.end_ms
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await asyncio.to_thread(self._look_up, engine.alert(episode), end_ms)
            if found is not None and (after := engine.attach(dedup_key, found)) is not None:
                self._on_evidence(engine, after)
        except TimeoutError:
            log.warning("alert_without_examples", dedup_key=dedup_key, error=f"no answer within {_WAIT_S:g} s")
        except Exception:
            # Nothing that is wrong with the index or with its documents may stop a page.
            log.exception("alert_without_examples", dedup_key=dedup_key)
