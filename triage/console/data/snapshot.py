"""The data of *Now* at one moment, independent of its source."""

from dataclasses import dataclass, field

from triage.elastic.search import Hit
from triage.schemas.alert import Alert


@dataclass(frozen=True)
class Counts:
    """Records by sentiment."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive

    @property
    def negative_share(self) -> float | None:
        """0 to 1; None where there are no records."""
        return self.negative / self.total if self.total else None


@dataclass(frozen=True)
class TimeSlot:
    """Records whose event time is in one step of the chart."""

    start_ms: int
    counts: Counts


@dataclass(frozen=True)
class IntentCount:
    intent: str
    counts: Counts


@dataclass(frozen=True)
class Snapshot:
    """One consistent reading; `at_ms` is the console's clock, simulated in the demo.

    `error` says why the last attempt failed: the rest is then the last good reading. Before the first reading `known`
    is false and the numbers mean nothing.
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
    error: str | None = None
    known: bool = True

    @property
    def alerts(self) -> list[Alert]:
        """All that the chart can mark."""
        listed = [*self.recent_alerts, *self.resolved_alerts, *self.open_alerts]
        return list({alert.dedup_key: alert for alert in listed}.values())

    @property
    def empty(self) -> bool:
        """There is nothing to draw."""
        return self.all_time.total == 0
