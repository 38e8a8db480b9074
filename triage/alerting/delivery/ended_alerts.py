"""Copies assessments and comments into the stored documents of ended alerts that no engine holds any more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from triage.alerting.delivery.archive import Write
from triage.alerting.lifecycle.assessments import Assessments
from triage.alerting.lifecycle.comments import Comments
from triage.alerting.lifecycle.deeds import with_comments
from triage.errors import DocumentRefused, TriageError
from triage.logging import get_logger
from triage.retries.backoff import backoff
from triage.schemas.alert import Alert

log = get_logger("triage.archive")

Read = Callable[[Sequence[str]], Awaitable[list[tuple[int, Alert]]]]

_CHUNK = 200
# So long an engine that still holds the alert has to store it itself; then nothing is left to do here.
_DELAY_S = 2.0


class EndedAlerts:
    """Writes the assessments of alerts, and comments on ended ones, into their stored documents, if these lack them.

    `read(dedup_keys)` returns (document version, alert) of the stored ones; each function of `writes` stores an alert.
    A document that already has all is not written. A comment on an alert that fires is left to its engine.
    """

    def __init__(
        self,
        assessments: Assessments,
        comments: Comments,
        read: Read,
        writes: Sequence[Write],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._assessments = assessments
        self._comments = comments
        self._read = read
        self._writes = writes
        self._sleep = sleep
        # In the order in which they came.
        self._waiting: dict[str, None] = {}
        self._wake = asyncio.Event()

    def put(self, dedup_keys: Iterable[str]) -> None:
        """Queue alerts whose stored documents must be compared with their assessments and comments."""
        self._waiting |= dict.fromkeys(dedup_keys)
        if self._waiting:
            self._wake.set()

    def drop(self) -> None:
        """Clear the queue of alerts, because another alerter copies assessments and comments now."""
        self._waiting.clear()

    async def run(self) -> None:
        """Copy the assessments and comments of queued alerts until cancelled.

        A failure is retried until the document is written or refused because of its content.
        """
        waits = backoff(0.5, 30)
        while True:
            await self._wake.wait()
            await self._sleep(_DELAY_S)
            self._wake.clear()
            while chunk := list(self._waiting)[:_CHUNK]:
                try:
                    await self._store(chunk)
                except Exception as error:
                    if isinstance(error, TriageError):
                        wait_s = next(waits)
                        log.warning("ended_alerts_not_stored", error=str(error), retry_in_s=round(wait_s, 1))
                        await self._sleep(wait_s)
                        continue
                    log.exception("ended_alerts_refused", alerts=len(chunk))
                else:
                    waits = backoff(0.5, 30)
                for dedup_key in chunk:
                    self._waiting.pop(dedup_key, None)

    async def _store(self, chunk: Sequence[str]) -> None:
        for version, alert in await self._read(chunk):
            said = self._with_what_was_said(alert)
            if said == alert:
                continue
            for write in self._writes:
                try:
                    await write(said, version)
                except DocumentRefused:
                    log.exception("ended_alert_refused", dedup_key=alert.dedup_key)
            log.info("ended_alert_stored", dedup_key=alert.dedup_key, comments=len(said.history) - len(alert.history))

    def _with_what_was_said(self, alert: Alert) -> Alert:
        assessment, history = self._assessments.get(alert.dedup_key), alert.history
        if alert.status == "resolved":
            history = with_comments(history, self._comments.of(alert.dedup_key))
        return msgspec.structs.replace(alert, assessment=assessment, history=history)
