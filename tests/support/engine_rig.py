"""An engine of the alerter without Kafka: messages as workers send them, and a table that a crash can interrupt."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import Any

from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.engine.state import PendingNotification
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import Clock, ManualClock
from triage.config import Settings
from triage.metrics import Metrics
from triage.schemas.alert import Event
from triage.schemas.counts import CountMessage, KeyCount, Watermark, WindowCounts, dimension_key

STEP_MS = 300_000
START_MS = 1_795_339_800_000 // STEP_MS * STEP_MS
TOPIC = "feedback.complaints"
AGES = 10**9
# Learns within a few steps, so that a test need not play days.
EAGER: dict[str, Any] = {
    "learning_days": 0,
    "learning_windows": 3,
    "level_days": 0.01,
    "level_windows": 20,
    "spread_windows": 20,
}


def static_rule(name: str = "spike", dimension: Sequence[str] = ("intent",), count: int = 10, **fields: Any) -> Rule:
    options: dict[str, Any] = {
        "window_s": 600,
        "static": {"share_at_least": 0.5, "count_at_least": count},
        "resolve_after": 2,
        "severity": "critical",
    }
    return Rule(name=name, dimension=list(dimension), **(options | fields))


def spike_rule(name: str = "surprise", dimension: Sequence[str] = ("intent",), **fields: Any) -> Rule:
    options: dict[str, Any] = {"window_s": 900, "spike": EAGER, "resolve_after": 2, "severity": "critical"}
    return Rule(name=name, dimension=list(dimension), **(options | fields))


def make(
    clock: Clock,
    *,
    rules: Sequence[Rule] | None = None,
    receivers: Sequence[str] = ("log", "webhook"),
    rule_options: Mapping[str, Any] | None = None,
    parts: Mapping[str, Any] | None = None,
    raw: int = 1,
    **alerting: Any,
) -> PartitionEngine:
    """`raw` is the number of raw partitions that will report, `parts` further arguments of the engine."""
    options: dict[str, Any] = {"allowed_lateness_s": 0, "group_wait_s": 0, "max_page_age_s": AGES} | alerting
    return PartitionEngine(
        AlertRules(rules or [static_rule()], **(rule_options or {})),
        Settings.model_validate({"alerting": options}).alerting,
        clock,
        Metrics(),
        receivers=list(receivers),
        **({"expected": {(TOPIC, partition) for partition in range(raw)}} | dict(parts or {})),
    )


def now() -> ManualClock:
    """A clock long after the steps of a test."""
    return ManualClock(START_MS + 10_000 * STEP_MS)


class Messages:
    """What one raw partition's worker sends, in order."""

    def __init__(self, partition: int = 0) -> None:
        self.partition = partition
        self.offset = 0

    def counts(
        self, step: int, negative: int, total: int, *, everything: bool = False, **dimensions: str
    ) -> WindowCounts:
        first, self.offset = self.offset, self.offset + 10
        values = {} if everything else dimensions or {"intent": "delivery"}
        return WindowCounts(
            window_ms=STEP_MS,
            topic=TOPIC,
            partition=self.partition,
            first_offset=first,
            last_offset=first + 9,
            counts=[KeyCount(START_MS + step * STEP_MS, dimension_key(values), values, negative, total)],
        )

    def mark(self, step: float) -> Watermark:
        return Watermark(
            topic=TOPIC,
            partition=self.partition,
            watermark_ms=START_MS + round(step * STEP_MS),
            offset=self.offset,
            lag=0,
            at_ms=0,
        )


class Table:
    """What the changelog holds; a crash leaves the first `at_most` writes of a flush."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.written = 0

    def write(self, writes: Mapping[str, Any], *, at_most: int | None = None) -> None:
        for name, value in list(writes.items())[:at_most]:
            self.written += 1
            if value is None:
                self.entries.pop(name, None)
            else:
                self.entries[name] = value


def calls(work: Callable[..., object], *arguments: Any) -> int:
    """Calls of Python functions by `work(*arguments)`, steps of generators included: work without a clock."""
    count = 0

    def on_event(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        work(*arguments)
    finally:
        sys.setprofile(before)
    return count


def advance_all(engine: PartitionEngine, table: Table | None = None) -> list[PendingNotification]:
    """Advance to the end, storing as the app does. Returns the notifications to send, in order."""
    pages: list[PendingNotification] = []
    more = True
    while more:
        more = engine.advance()
        changes = engine.take_changes()
        if table is not None:
            table.write(changes.writes)
        pages += changes.notifications
    return pages


def play(
    engine: PartitionEngine, messages: Iterable[CountMessage], table: Table | None = None
) -> list[PendingNotification]:
    """Apply the messages one by one, each followed by `advance_all`."""
    pages: list[PendingNotification] = []
    for message in messages:
        engine.apply(message)
        pages += advance_all(engine, table)
    return pages


def deduplicated(pages: Iterable[PendingNotification]) -> list[tuple[str, Event]]:
    """What a receiver that deduplicates by key and event sees."""
    seen: list[tuple[str, Event]] = []
    for page in pages:
        if (page.alert.dedup_key, page.event) not in seen:
            seen.append((page.alert.dedup_key, page.event))
    return seen


def events(pages: Iterable[PendingNotification]) -> list[tuple[Event, str]]:
    return [(page.event, page.alert.key) for page in pages]
