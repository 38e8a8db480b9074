"""Counts the output of the pipeline for the demo, by consuming its topics (read committed)."""

import threading
from dataclasses import dataclass, field

import msgspec
from kafka import KafkaConsumer, TopicPartition

from triage.config import KafkaSettings
from triage.schemas.alert import Alert
from triage.schemas.enriched import EnrichedRecord

_PAUSE_S = 0.1


@dataclass
class Totals:
    """Counts of one run so far.

    `enriched_ids` and `dead_positions` are the distinct message keys; there are fewer of them than records if there are
    duplicates. `latencies_ms` are the differences between the broker timestamps of the enriched and the raw record.
    `alerts` has the latest state by dedup key, `alert_log` every message. `first_ms` and `last_ms` are timestamps of
    enriched records.
    """

    enriched: int = 0
    enriched_ids: set[str] = field(default_factory=set)
    dead_lettered: int = 0
    dead_positions: set[str] = field(default_factory=set)
    latencies_ms: list[float] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    alert_log: list[Alert] = field(default_factory=list)
    first_ms: int = 0
    last_ms: int = 0

    @property
    def open_alerts(self) -> int:
        return sum(alert.status == "firing" for alert in self.alerts.values())

    def rate(self) -> float:
        """Enriched records per second between the first and the last one; 0 if their timestamps are equal."""
        return self.enriched / ((self.last_ms - self.first_ms) / 1000) if self.last_ms > self.first_ms else 0.0


class Tally:
    """A thread that counts all messages of the raw, enriched, dead-letter and alert topics, in `totals`.

    Only the thread writes `totals`. An exception ends it and is stored in `error`, which the main thread checks.
    """

    def __init__(self, kafka: KafkaSettings, raw_topics: list[str]) -> None:
        self._kafka = kafka
        self._raw = set(raw_topics)
        self._enriched, self._dead, self._alerts = (kafka.topic(n) for n in ("enriched", "dead-letter", "alerts"))
        self._sent_ms: dict[str, int] = {}
        self._decode = msgspec.json.Decoder(EnrichedRecord)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tally", daemon=True)
        self.totals = Totals()
        self.error: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        consumer = KafkaConsumer(
            **self._kafka.client(),
            client_id="triage-demo-tally",
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        try:
            topics = [*sorted(self._raw), self._enriched, self._dead, self._alerts]
            consumer.assign([TopicPartition(t, p) for t in topics for p in consumer.partitions_for_topic(t) or ()])
            # The local stack answers empty fetches immediately: without the pause an idle thread would spin.
            while not self._stop.wait(_PAUSE_S):
                for partition, records in consumer.poll(timeout_ms=0, max_records=2_000).items():
                    for record in records:
                        self._count(partition.topic, record)
        except Exception as error:  # noqa: BLE001 - passed to the main thread, which ends the demo
            self.error = error
        finally:
            consumer.close(autocommit=False)

    def _count(self, topic: str, record: object) -> None:
        key: bytes | None = record.key  # type: ignore[attr-defined]
        value: bytes | None = record.value  # type: ignore[attr-defined]
        timestamp: int = record.timestamp  # type: ignore[attr-defined]
        totals = self.totals
        if value is None:
            return
        if topic in self._raw:
            event_id = _id_of(value)
            if event_id is not None:
                self._sent_ms.setdefault(event_id, timestamp)
        elif topic == self._enriched:
            enriched = self._decode.decode(value)
            totals.enriched += 1
            totals.first_ms = min(totals.first_ms or timestamp, timestamp)
            totals.last_ms = max(totals.last_ms, timestamp)
            totals.enriched_ids.add((key or b"").decode())
            sent = self._sent_ms.get(enriched.event.id)
            if sent is not None:
                totals.latencies_ms.append(timestamp - sent)
        elif topic == self._dead:
            totals.dead_lettered += 1
            totals.dead_positions.add((key or b"").decode())
        elif topic == self._alerts:
            alert = msgspec.json.decode(value, type=Alert)
            totals.alerts[alert.dedup_key] = alert
            totals.alert_log.append(alert)


def _id_of(payload: bytes) -> str | None:
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.get("id") if isinstance(found, dict) else None
