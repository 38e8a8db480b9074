"""Looks up the evidence of alerts in the index: before a page is sent, and in the background for other alerts."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.lifecycle.episode import Episode
from triage.clock import parse_rfc3339, rfc3339
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

    `look_up(alert, end_ms)` runs in a thread for at most 8 s and returns None if the index does not answer. When
    evidence was attached, `on_evidence(engine, episode)` is called. A page gets the evidence of the window that it
    names. A stored alert gets that of its largest window, because later windows may have few records.
    """

    def __init__(
        self, look_up: LookUp, on_evidence: OnEvidence, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> None:
        self._look_up = look_up
        self._on_evidence = on_evidence
        self._spawn = spawn
        self._in_flight: dict[tuple[PartitionEngine, str, int], asyncio.Task[Evidence | None]] = {}
        self._queue: dict[str, tuple[PartitionEngine, int]] = {}
        self._working = False

    async def find_for(self, engine: PartitionEngine, alert: Alert) -> Evidence | None:
        """Look up the evidence of the peak window that `alert` names, and wait for it, 8 s at most. Never raises.

        Returns the evidence found earlier, or None, if the index does not answer.
        """
        episode, known = engine.episode(alert.dedup_key), engine.evidence(alert.dedup_key)
        if episode is None:
            return known
        end_ms = parse_rfc3339(alert.peak_end) if alert.peak_end else _peak_end_ms(episode)
        if known is not None and known.end in {None, rfc3339(end_ms)}:
            return known
        return await self._find(engine, alert, end_ms) or known

    def enqueue(self, engine: PartitionEngine, episode: Episode) -> None:
        """Look up evidence in the background, if an episode has none, or only that of a window before its peak."""
        if episode.state == "pending" or not self._lacks_evidence(engine, episode):
            return
        self._queue.setdefault(episode.dedup_key, (engine, 1))
        if not self._working:
            self._working = True
            self._spawn(self._work())

    def drop(self) -> None:
        """Empty the queue of look-ups, because other alerters may own the partitions of its episodes now."""
        self._queue.clear()

    async def _work(self) -> None:
        try:
            while self._queue:
                dedup_key = next(iter(self._queue))
                engine, attempt = self._queue[dedup_key]
                if (episode := engine.episode(dedup_key)) is not None and self._lacks_evidence(engine, episode):
                    await self._find(engine, engine.alert(episode), _peak_end_ms(episode))
                if self._queue.pop(dedup_key, None) is None or (episode := engine.episode(dedup_key)) is None:
                    continue
                if self._lacks_evidence(engine, episode) and attempt < _ATTEMPTS:
                    # After the others: the index is unavailable, or this query is too large for it at the moment.
                    self._queue[dedup_key] = engine, attempt + 1
                    await asyncio.sleep(_RETRY_S)
        finally:
            self._working = False

    def _lacks_evidence(self, engine: PartitionEngine, episode: Episode) -> bool:
        known = engine.evidence(episode.dedup_key)
        if known is None:
            return True
        # While it rises, each step has another peak.
        settled = episode.state in {"recovering", "resolved"}
        return settled and known.end not in {None, rfc3339(_peak_end_ms(episode))}

    async def _find(self, engine: PartitionEngine, alert: Alert, end_ms: int) -> Evidence | None:
        lookup = engine, alert.dedup_key, end_ms
        if lookup not in self._in_flight:
            self._in_flight[lookup] = asyncio.create_task(self._query(engine, alert, end_ms), name="find")
            self._in_flight[lookup].add_done_callback(lambda _: self._in_flight.pop(lookup, None))
        task = self._in_flight[lookup]
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    async def _query(self, engine: PartitionEngine, alert: Alert, end_ms: int) -> Evidence | None:
        dedup_key = alert.dedup_key
        try:
            async with asyncio.timeout(_WAIT_S):
                found = await asyncio.to_thread(self._look_up, alert, end_ms)
            if found is None:
                return None
            found = msgspec.structs.replace(found, end=rfc3339(end_ms))
            known = engine.evidence(dedup_key)
            # A page that waited long has the evidence of an earlier peak than the stored alert.
            newer = known is None or known.end is None or known.end < rfc3339(end_ms)
            if newer and (after := engine.attach(dedup_key, found)) is not None:
                self._on_evidence(engine, after)
        except TimeoutError:
            log.warning("alert_without_examples", dedup_key=dedup_key, error=f"no answer within {_WAIT_S:g} s")
        except Exception:
            # Nothing that is wrong with the index or with its documents may stop a page.
            log.exception("alert_without_examples", dedup_key=dedup_key)
        else:
            return found
        return None


def _peak_end_ms(episode: Episode) -> int:
    return episode.peak_end_ms or episode.end_ms
