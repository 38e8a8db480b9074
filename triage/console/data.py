"""Reads a snapshot from Elasticsearch. Blocking: `SharedSnapshot` runs it on a thread."""

from collections.abc import Callable
from itertools import dropwhile

from elasticsearch import Elasticsearch

from triage.clock import Clock
from triage.config import ElasticsearchSettings
from triage.console.charts import SENTIMENTS, moment_ms
from triage.console.snapshot import Counts, IntentCount, Snapshot, TimeSlot
from triage.elastic import search
from triage.elastic.search import SentimentCounts
from triage.metrics import Metrics

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
CHART_MS = 72 * HOUR_MS
INTENTS_MS = 24 * HOUR_MS
_STEPS_MS = tuple(minutes * MINUTE_MS for minutes in (1, 5, 15, 30, 60))
_MAX_SLOTS = 150
_FEW_SLOTS = 3
_LATEST = 20
_ALERTS = 50
_RESOLVED = 5
_INTENTS = 100


class ElasticReader:
    """Calling it gives a Snapshot; `dead_letters` is the count so far, None while it is unknown.

    Raises Unavailable, AccessDenied, DependencyError.
    """

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        clock: Clock,
        metrics: Metrics,
        dead_letters: Callable[[], int | None],
        *,
        simulated: bool = False,
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._dead_letters = dead_letters
        self._simulated = simulated

    def __call__(self) -> Snapshot:
        with self._metrics.console_read_seconds.time(), self._metrics.console_read_failures.count_exceptions():
            return self._read()

    def _read(self) -> Snapshot:
        at = (self._client, self._settings)
        now_ms = self._clock.now_ms()
        latest = [hit.record for hit in search.latest(*at, _LATEST)]
        # Old data (an import, a stopped feed) is charted up to its own end; nothing is later than now.
        end_ms = now_ms
        if latest and (newest_ms := moment_ms(latest[0].timestamp)) < now_ms - CHART_MS:
            end_ms = newest_ms + 1
        timeline, step_ms = self._timeline(end_ms)
        alerts = search.recent_alerts(*at, _ALERTS)
        return Snapshot(
            at_ms=now_ms,
            simulated=self._simulated,
            all_time=_counts(search.totals(*at)),
            last_hour=_counts(search.totals(*at, now_ms - HOUR_MS, now_ms)),
            last_minute=search.totals(*at, now_ms - MINUTE_MS, now_ms).total,
            dead_letters=self._dead_letters(),
            step_ms=step_ms,
            timeline=timeline,
            intents=self._intents(end_ms),
            open_alerts=search.open_alerts(*at, _ALERTS),
            resolved_alerts=[alert for alert in alerts if alert.status == "resolved"][:_RESOLVED],
            latest=latest,
        )

    def _timeline(self, end_ms: int) -> tuple[list[TimeSlot], int]:
        """Slots from the first record within reach; the step is as fine as the chart can show."""
        at = (self._client, self._settings)
        start_ms = end_ms - CHART_MS
        hourly = search.sentiment_over_time(*at, start_ms, end_ms, HOUR_MS // 1000)
        first_ms = next((slot.start_ms for slot in hourly if slot.total), None)
        if first_ms is None:
            return [], HOUR_MS
        step_ms = next((step for step in _STEPS_MS if (end_ms - first_ms) / step <= _MAX_SLOTS), _STEPS_MS[-1])
        slots = search.sentiment_over_time(*at, max(first_ms, start_ms), end_ms, step_ms // 1000)
        slots = list(dropwhile(lambda slot: not slot.total, slots))
        # The slot that is still filling would draw as a fall that is none.
        if len(slots) > _FEW_SLOTS and slots[-1].start_ms + step_ms > end_ms:
            slots = slots[:-1]
        return [TimeSlot(slot.start_ms, _counts(slot)) for slot in slots], step_ms

    def _intents(self, end_ms: int) -> list[IntentCount]:
        found: dict[str, dict[str, int]] = {}
        for sentiment in SENTIMENTS:
            for share in search.top_terms(
                self._client,
                self._settings,
                "intent.label",
                {"sentiment": sentiment},
                end_ms - INTENTS_MS,
                end_ms,
                size=_INTENTS,
            ):
                found.setdefault(share.value, {})[sentiment] = share.count
        counts = [IntentCount(intent, Counts(**by_sentiment)) for intent, by_sentiment in found.items()]
        return sorted(counts, key=lambda one: (-one.counts.total, one.intent))


def _counts(found: SentimentCounts) -> Counts:
    return Counts(found.negative, found.neutral, found.positive)
