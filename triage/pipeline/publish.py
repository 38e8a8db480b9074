"""The last step: enriched records, window counts, watermarks, dead letters and offsets in one transaction."""

from collections.abc import Mapping

import msgspec

from triage.clock import Clock, SystemClock
from triage.config import AlertingSettings, KafkaSettings
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.counting import Counted, count_windows
from triage.pipeline.feed import Feed, Message
from triage.pipeline.watermarks import PartitionWatermarks
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel


class Publisher:
    """Turns a finished batch into messages and commits them with its offsets."""

    def __init__(
        self,
        kafka: KafkaSettings,
        alerting: AlertingSettings,
        watermarks: PartitionWatermarks,
        metrics: Metrics,
        wall: Clock | None = None,
    ) -> None:
        self._topics = {name: kafka.topic(name) for name in ("enriched", "window-counts", "dead-letter")}
        self._window_ms = alerting.window_s * 1000
        self._dimensions = alerting.dimensions
        self._watermarks = watermarks
        # Latency is about the broker's real timestamps, also where the rest runs on simulated time.
        self._wall = wall or SystemClock()
        self._metrics = metrics

    def publish(self, feed: Feed, batch: Batch) -> None:
        """Commit the batch; an empty one only sends the watermarks of idle partitions, when those are due.

        Raises Unavailable if the transaction was aborted, Fenced if the feed must be rebuilt.
        """
        ranges = batch.offsets()
        messages = [*self._records(batch), *self._counts(batch), *self._dead(batch), *self._marks(feed, batch)]
        if messages or ranges:
            feed.commit(messages, {partition: last + 1 for partition, (_, last) in ranges.items()})
            self._account(batch)

    def _records(self, batch: Batch) -> list[Message]:
        topic = self._topics["enriched"]
        return [Message(topic, item.document_id.encode(), item.body) for item in batch.enriched]

    def _dead(self, batch: Batch) -> list[Message]:
        topic = self._topics["dead-letter"]
        return [
            Message(topic, f"{letter.topic}/{letter.partition}/{letter.offset}".encode(), msgspec.json.encode(letter))
            for letter in batch.dead
        ]

    def _counts(self, batch: Batch) -> list[Message]:
        counted = [
            Counted(
                item.accepted.position,
                item.accepted.event_ms,
                dimensions_of(item.record),
                item.record.sentiment.label == SentimentLabel.NEGATIVE,
            )
            for item in batch.enriched
            if item.accepted.position is not None
        ]
        topic = self._topics["window-counts"]
        counts = count_windows(counted, self._window_ms, self._dimensions, batch.offsets())
        return [Message(topic, count.key.encode(), msgspec.json.encode(count)) for count in counts]

    def _marks(self, feed: Feed, batch: Batch) -> list[Message]:
        events = {item.accepted.position: item.accepted.event_ms for item in batch.enriched}
        for message in batch.incoming:
            self._watermarks.observe(message.position, events.get(message.position), message.timestamp_ms)
        topic = self._topics["window-counts"]
        states = feed.partitions()
        for (raw, partition), state in states.items():
            self._metrics.consumer_lag.labels(raw, partition).set(state.lag)
        marks = self._watermarks.due(states)
        if not marks:
            return []
        return [
            Message(topic, None, msgspec.json.encode(mark), partition)
            for mark in marks
            for partition in range(feed.partition_count(topic))
        ]

    def _account(self, batch: Batch) -> None:
        now_ms = self._wall.now_ms()
        self._metrics.batch_records.observe(len(batch.incoming))
        for item in batch.enriched:
            self._metrics.records_enriched.labels(item.record.channel).inc()
            self._metrics.record_latency_seconds.observe(max(0, now_ms - item.accepted.broker_ms) / 1000)


def dimensions_of(record: EnrichedRecord) -> Mapping[str, str | None]:
    """The values by which windows can be counted, all from the redacted record."""
    return {
        "channel": record.channel.value,
        "intent": record.intent.label,
        "language": record.language,
        "severity": record.severity.level,
        "queue": record.route.queue,
        "source": record.source,
        "brand": record.brand,
        "product": record.product,
        "region": record.region,
    }
