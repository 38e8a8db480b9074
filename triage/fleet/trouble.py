"""Counts alerts by state and dead letters by reason from their topics, because a process's metrics end with it."""

import time
from collections import Counter
from collections.abc import Iterator

from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import NotUnderstood, TriageError
from triage.fleet.view import AlertView
from triage.schemas.alert import Alert
from triage.schemas.deadletter import DeadLetter
from triage.schemas.message import MessageDecoder
from triage.topics.kafka_types import ConsumerRecord, TopicPartition
from triage.topics.noida_compat import EMPTY_POLL_PAUSE_S
from triage.topics.scan import TopicScan, log_unreadable

LOOK_BACK_MS = 24 * 3_600_000
_FIRST_TIMEOUT_S = 5.0
_LATER_TIMEOUT_S = 0.3


class Trouble:
    """Current alerts, and dead letters of the last 24 hours, as read from their topics. Only one thread may use it.

    `look` reads the new messages. `states` has the state of each alert by dedup key, `open` the alerts that fire by the
    same key, `dead_letters` the number of dead letters by reason.
    """

    def __init__(self, settings: KafkaSettings, wall: Clock) -> None:
        self._settings = settings
        self._wall = wall
        self._scan: TopicScan | None = None
        self._follow: Iterator[list[ConsumerRecord]] | None = None
        self._ends: dict[TopicPartition, int] = {}
        self._alerts_topic = settings.topic("alerts")
        self._letters_topic = settings.topic("dead-letter")
        self._missing: list[str] = []
        self._alert: MessageDecoder[Alert] = MessageDecoder(Alert)
        self._letter: MessageDecoder[DeadLetter] = MessageDecoder(DeadLetter)
        self.states: dict[str, str] = {}
        self.open: dict[str, AlertView] = {}
        self.dead_letters: Counter[str] = Counter()

    def look(self) -> None:
        """Read new messages of the topics of alerts and dead letters.

        The first call reads all alerts, and the dead letters of the last 24 hours. Raises Unavailable if Kafka does not
        answer, AccessDenied or ConfigError if a retry cannot help.
        """
        try:
            self._restart_with_new_topics()
            first = self._scan is None
            if self._scan is None:
                self._begin()
            self._read(_FIRST_TIMEOUT_S if first else _LATER_TIMEOUT_S)
        except TriageError:
            self.close()
            raise

    def close(self) -> None:
        if self._scan is not None:
            self._scan.consumer.close(autocommit=False)
        self._scan = self._follow = None

    def _restart_with_new_topics(self) -> None:
        """Start over once a missing topic exists: it may be created, or made visible, after the first look."""
        if self._scan is not None and self._missing and self._scan.partitions(self._missing):
            self.close()

    def _begin(self) -> None:
        self._scan = TopicScan(self._settings, "triage-fleet", unreadable=log_unreadable)
        self.states, self.open, self.dead_letters = {}, {}, Counter()
        since = self._wall.now_ms() - LOOK_BACK_MS
        ranges = self._scan.ranges(self._scan.partitions([self._alerts_topic]))
        ranges |= self._scan.ranges(self._scan.partitions([self._letters_topic]), since)
        found = {each.topic for each in ranges}
        self._missing = [each for each in (self._alerts_topic, self._letters_topic) if each not in found]
        self._ends = {each: end for each, (_, end) in ranges.items()}
        starts = {each: start for each, (start, _) in ranges.items()}
        self._follow = self._scan.follow(starts) if starts else iter(())

    def _read(self, timeout_s: float) -> None:
        assert self._scan is not None
        assert self._follow is not None
        until = time.monotonic() + timeout_s
        for records in self._follow:
            for record in records:
                self._take(record)
            if not records and (self._scan.reached(self._ends) or time.monotonic() >= until):
                return
            if not records:
                time.sleep(EMPTY_POLL_PAUSE_S)

    def _take(self, record: ConsumerRecord) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        try:
            if record.topic == self._alerts_topic:
                self._take_alert(key, record.value)
            elif record.value and not (letter := self._letter.decode(record.value)).replayed_at:
                self.dead_letters[letter.reason] += 1
        except NotUnderstood:
            if record.topic != self._alerts_topic:
                self.dead_letters["not_understood"] += 1

    def _take_alert(self, key: str, value: bytes | None) -> None:
        self.open.pop(key, None)
        if value is None:
            self.states.pop(key, None)
            return
        alert = self._alert.decode(value)
        self.states[key] = alert.state if alert.status == "firing" else "resolved"
        if alert.status == "firing":
            self.open[key] = AlertView(
                key=key,
                severity=alert.severity,
                title=alert.title,
                started_at=alert.started_at,
                state=alert.state,
                acknowledged=alert.acknowledged is not None,
            )
