"""Copies the newest version of every alert to the index and the topic, independently of sending pages."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.index_faults import written
from triage.elastic.mapping import alert_mapping
from triage.elastic.search import find_alerts
from triage.errors import DocumentRefused, IndexUnusable, TriageError
from triage.logging import get_logger
from triage.retries.backoff import backoff
from triage.schemas.alert import Alert

log = get_logger("triage.archive")

Write = Callable[[Alert, int], Awaitable[None]]
Report = Callable[[str, IndexUnusable | None], None]
_MAPPING = alert_mapping({"type": "text"})


class Archive:
    """Stores the newest version of each alert in the index or the topic, by `write(alert, version)`; skips older ones.

    `name` identifies the index or topic in callbacks. `stored(name, dedup_key, version)` is called once the newest
    version is written, or refused because of its content. All other failures are retried until they succeed:
    `report(name, error)` is called with an error that makes the index unusable, and with None after a success.
    """

    def __init__(
        self,
        name: str,
        write: Write,
        stored: Callable[[str, str, int], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        report: Report = lambda *_: None,
    ) -> None:
        self.name = name
        self._write = write
        self._stored = stored
        self._sleep = sleep
        self._report = report
        self._waiting: dict[str, tuple[Alert, int]] = {}
        self._wake = asyncio.Event()

    def put(self, alert: Alert, version: int) -> None:
        self._waiting[alert.dedup_key] = (alert, version)
        self._wake.set()

    def drop(self, dedup_keys: set[str]) -> None:
        """Remove alerts from the queue, because another alerter may own their partition now."""
        for dedup_key in dedup_keys:
            self._waiting.pop(dedup_key, None)

    @property
    def pending(self) -> int:
        return len(self._waiting)

    async def run(self) -> None:
        """Write queued alerts until cancelled. A failed alert is retried after the others; no failure ends the loop."""
        waits = backoff(0.5, 30)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                dedup_key = next(iter(self._waiting))
                try:
                    await self._store(dedup_key)
                except Exception as error:
                    wait_s = next(waits)
                    if isinstance(error, IndexUnusable):
                        self._report(self.name, error)
                    log.warning(
                        "alert_not_stored",
                        where=self.name,
                        dedup_key=dedup_key,
                        error=str(error) or repr(error),
                        retry_in_s=round(wait_s, 1),
                        exc_info=not isinstance(error, TriageError),
                    )
                    if (newest := self._waiting.pop(dedup_key, None)) is not None:
                        self._waiting[dedup_key] = newest
                    await self._sleep(wait_s)
                else:
                    waits = backoff(0.5, 30)

    async def _store(self, dedup_key: str) -> None:
        """Write the newest version of an alert; one that is refused because of its content is logged and left out.

        Raises all other errors: neither a right that is missing nor an index to be mended is a reason to lose alerts.
        """
        entry = self._waiting[dedup_key]
        try:
            await self._write(*entry)
        except DocumentRefused:
            log.exception("alert_refused", where=self.name, dedup_key=dedup_key)
        self._report(self.name, None)
        # A newer version may have come meanwhile, or the alert may have been dropped.
        if self._waiting.get(dedup_key) is entry:
            del self._waiting[dedup_key]
            self._stored(self.name, dedup_key, entry[1])


class IndexReader:
    """Reads stored alerts from the index by dedup key, each as (document version, alert)."""

    def __init__(self, client: Elasticsearch, settings: ElasticsearchSettings, timeout_s: float = 5.0) -> None:
        self._client = client.options(request_timeout=timeout_s)
        self._settings = settings

    async def __call__(self, dedup_keys: Sequence[str]) -> list[tuple[int, Alert]]:
        return await asyncio.to_thread(find_alerts, self._client, self._settings, dedup_keys)


class IndexWriter:
    """Writes alerts to the index: `_id` is the dedup key, and an older version never overwrites a newer one."""

    def __init__(self, client: Elasticsearch, settings: ElasticsearchSettings, timeout_s: float = 5.0) -> None:
        self._client = client.options(request_timeout=timeout_s, ignore_status=409)
        self._index = settings.alerts_index

    async def __call__(self, alert: Alert, version: int) -> None:
        await asyncio.to_thread(self._write, alert, version)

    def _write(self, alert: Alert, version: int) -> None:
        with written(self._client, self._index, _MAPPING):
            self._client.index(
                index=self._index,
                id=alert.dedup_key,
                document=msgspec.to_builtins(alert),
                version=version,
                version_type="external_gte",
            )
