"""Reads snapshots from Elasticsearch. Blocking: `SharedSnapshot` runs it on a thread."""

from collections.abc import Callable
from dataclasses import replace

from elasticsearch import Elasticsearch

from triage.clock import HOUR_MS, MINUTE_MS, Clock, parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.console.data.snapshot import Counts, IntentCount, Snapshot, TimeSlot
from triage.elastic import search
from triage.elastic.aggregations import SentimentCounts
from triage.elastic.completeness import noting
from triage.elastic.overview import Overview, Ranges, overview
from triage.metrics import Metrics

CHART_MS = 72 * HOUR_MS
INTENTS_MS = 24 * HOUR_MS
_STEPS_MS = tuple(minutes * MINUTE_MS for minutes in (1, 5, 15, 30, 60))
_MAX_SLOTS = 150
_LATEST = 20
_ALERTS = 50
_RESOLVED = 5


class SnapshotReader:
    """Callable that reads the numbers, charts, alerts and latest records of the page *Now*; returns a Snapshot.

    `dead_letters` returns their number, None while unknown. A call raises Unavailable, AccessDenied or DependencyError
    if a request to Elasticsearch fails.
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
        self._step_ms = HOUR_MS

    def __call__(self) -> Snapshot:
        with self._metrics.console_read_seconds.time(), self._metrics.console_read_failures.count_exceptions():
            with noting() as gaps:
                snapshot = self._read()
            return replace(snapshot, gaps=tuple(gaps))

    def _read(self) -> Snapshot:
        now_ms = self._clock.now_ms()
        current = self._overview(now_ms, now_ms)
        end_ms = now_ms
        if not current.slots and current.latest:
            # Old data (an import, a feed that stopped) is charted up to its own end.
            end_ms = parse_rfc3339(current.latest[0].record.timestamp) + 1
            current = self._overview(now_ms, end_ms)
        recent = search.recent_alerts(self._client, self._settings, _ALERTS)
        return Snapshot(
            at_ms=now_ms,
            simulated=self._simulated,
            all_time=_counts(current.all_time),
            last_hour=_counts(current.last_hour),
            last_minute=current.last_minute,
            dead_letters=self._dead_letters(),
            step_ms=self._step_ms,
            timeline=_timeline(current.slots),
            by_channel={name: _timeline(own) for name, own in current.slots_by_channel.items()},
            intents=[IntentCount(intent, _counts(counts)) for intent, counts in current.intents.items()],
            open_alerts=search.open_alerts(self._client, self._settings, _ALERTS),
            resolved_alerts=[alert for alert in recent if alert.status == "resolved"][:_RESOLVED],
            recent_alerts=recent,
            latest=current.latest,
            processed_ms=current.processed_ms,
        )

    def _overview(self, now_ms: int, end_ms: int) -> Overview:
        """Request the counts with the chart step of the last reading, and once more if the data need another step."""
        current = self._request(now_ms, end_ms)
        step_ms = _step(current.slots, end_ms)
        if step_ms != self._step_ms:
            self._step_ms = step_ms
            current = self._request(now_ms, end_ms)
        return current

    def _request(self, now_ms: int, end_ms: int) -> Overview:
        ranges = Ranges(
            end_ms=end_ms,
            minute_start_ms=now_ms - MINUTE_MS,
            hour_start_ms=now_ms - HOUR_MS,
            slots_start_ms=end_ms - CHART_MS,
            slot_s=self._step_ms // 1000,
            intents_start_ms=end_ms - INTENTS_MS,
        )
        return overview(self._client, self._settings, ranges, _LATEST)


def _step(slots: list[SentimentCounts], end_ms: int) -> int:
    """The shortest step in ms with which the time from the first slot to `end_ms` fits into the chart."""
    span_ms = end_ms - slots[0].start_ms if slots else CHART_MS
    return next((step for step in _STEPS_MS if span_ms / step <= _MAX_SLOTS), _STEPS_MS[-1])


def _timeline(slots: list[SentimentCounts]) -> list[TimeSlot]:
    return [TimeSlot(slot.start_ms, _counts(slot)) for slot in slots]


def _counts(counts: SentimentCounts) -> Counts:
    return Counts(counts.negative, counts.neutral, counts.positive)
