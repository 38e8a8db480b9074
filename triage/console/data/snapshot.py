"""The data of *Now* at one time, independent of its source."""

from dataclasses import dataclass, field

from triage.clock import parse_rfc3339
from triage.elastic.search import Hit
from triage.schemas.alert import Alert


@dataclass(frozen=True)
class Counts:
    """Number of records by sentiment."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive

    @property
    def negative_share(self) -> float | None:
        """Share of negative records, 0 to 1; None if there are no records."""
        return self.negative / self.total if self.total else None


@dataclass(frozen=True)
class TimeSlot:
    """Number of records by sentiment with event times in one step of the chart, which begins at `start_ms`."""

    start_ms: int
    counts: Counts


@dataclass(frozen=True)
class IntentCount:
    """Number of records of one intent by sentiment."""

    intent: str
    counts: Counts


@dataclass(frozen=True)
class Snapshot:
    """The numbers, charts, alerts and records of the page *Now* from one reading.

    `at_ms` is the time of the console's clock, which the demo simulates. `error` is the reason if the last attempt to
    read failed; the other values are then those of the last successful reading. `gaps` describes data that
    Elasticsearch could not read. `known` is False before the first reading, when the numbers are meaningless.
    `by_channel` has the timeline of each channel. `dead_letters` is None until their topic has been read.
    `processed_ms` is when the newest record was processed; None if there are no records.
    """

    at_ms: int
    simulated: bool = False
    all_time: Counts = Counts()
    last_hour: Counts = Counts()
    last_minute: int = 0
    dead_letters: int | None = None
    step_ms: int = 3_600_000
    timeline: list[TimeSlot] = field(default_factory=list)
    by_channel: dict[str, list[TimeSlot]] = field(default_factory=dict)
    intents: list[IntentCount] = field(default_factory=list)
    open_alerts: list[Alert] = field(default_factory=list)
    resolved_alerts: list[Alert] = field(default_factory=list)
    recent_alerts: list[Alert] = field(default_factory=list)
    latest: list[Hit] = field(default_factory=list)
    processed_ms: int | None = None
    gaps: tuple[str, ...] = ()
    error: str | None = None
    known: bool = True

    @property
    def alerts(self) -> list[Alert]:
        """All alerts that the chart can mark: recent, resolved and open ones, without duplicates."""
        listed = [*self.recent_alerts, *self.resolved_alerts, *self.open_alerts]
        return list({alert.dedup_key: alert for alert in listed}.values())

    @property
    def reached_ms(self) -> int | None:
        """Event time, in ms, of the newest record that is not in the future; None if `latest` has none."""
        times = (parse_rfc3339(hit.record.timestamp) for hit in self.latest)
        return next((ms for ms in times if ms <= self.at_ms), None)

    @property
    def empty(self) -> bool:
        """True if there are no records, so that no chart can be drawn."""
        return self.all_time.total == 0
