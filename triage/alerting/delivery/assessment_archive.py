"""Copies assessments into the stored documents of ended alerts that no engine holds any more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from triage.alerting.delivery.archive import Write
from triage.alerting.lifecycle.assessments import Assessments
from triage.errors import DocumentRefused, TriageError
from triage.logging import get_logger
from triage.retries.backoff import backoff
from triage.schemas.alert import Alert

log = get_logger("triage.archive")

Read = Callable[[Sequence[str]], Awaitable[list[tuple[int, Alert]]]]

_CHUNK = 200
# So long an engine that still holds the alert has to store it itself; then nothing is left to do here.
_DELAY_S = 2.0


class AssessmentArchive:
    """Writes the assessments of alerts into their stored documents, if these differ.

    `read(dedup_keys)` returns (document version, alert) of the stored ones; each function of `writes` stores an alert.
    A document that already has the assessment is not written.
    """

    def __init__(
        self,
        assessments: Assessments,
        read: Read,
        writes: Sequence[Write],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._assessments = assessments
        self._read = read
        self._writes = writes
        self._sleep = sleep
        # In the order in which they came.
        self._waiting: dict[str, None] = {}
        self._wake = asyncio.Event()

    def put(self, dedup_keys: Iterable[str]) -> None:
        """Queue alerts whose stored documents must be compared with their assessments."""
        self._waiting |= dict.fromkeys(dedup_keys)
        if self._waiting:
            self._wake.set()

    def drop(self) -> None:
        """Clear the queue of alerts, because another alerter does this work now."""
        self._waiting.clear()

    async def run(self) -> None:
        """Copy the assessments of queued alerts until cancelled.

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
                        log.warning("assessments_not_stored", error=str(error), retry_in_s=round(wait_s, 1))
                        await self._sleep(wait_s)
                        continue
                    log.exception("assessments_refused", alerts=len(chunk))
                else:
                    waits = backoff(0.5, 30)
                for dedup_key in chunk:
                    self._waiting.pop(dedup_key, None)

    async def _store(self, chunk: Sequence[str]) -> None:
        for version, alert in await self._read(chunk):
            assessment = self._assessments.get(alert.dedup_key)
            if alert.assessment == assessment:
                continue
            for write in self._writes:
                try:
                    await write(msgspec.structs.replace(alert, assessment=assessment), version)
                except DocumentRefused:
                    log.exception("assessment_refused", dedup_key=alert.dedup_key)
            log.info("assessment_stored", dedup_key=alert.dedup_key, verdict=assessment.verdict if assessment else None)
