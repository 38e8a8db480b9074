"""The last step: enriched records, window counts, watermarks, dead letters and offsets in one transaction."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from triage.clock import Clock, SystemClock
from triage.config import AlertingSettings, KafkaSettings
from triage.metrics import Metrics, observe_all
from triage.pipeline.batch import Batch, Partition
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.pipeline.source import Message, PartitionState, Source
from triage.pipeline.window_counts.counting import Counted, count_windows
from triage.pipeline.window_counts.packing import pack_counts
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
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
        forgotten: ErasedAuthors | None = None,
    ) -> None:
        """Nothing by a `forgotten` author is published: the batch may have waited long, for this or another try."""
        self._forgotten = forgotten
        self._topics = {name: kafka.topic(name) for name in ("enriched", "window-counts", "dead-letter")}
        self._window_ms = alerting.window_s * 1000
        self._dimensions = alerting.dimensions
        self._group_by = alerting.group_by
        self._watermarks = watermarks
        # Latency is about the broker's real timestamps, also where the rest runs on simulated time.
        self._wall = wall or SystemClock()
        self._metrics = metrics
        self._shown: set[Partition] = set()
        self._read_to: dict[Partition, int] = {}

    def publish(self, feed: Source, batch: Batch, behind: Mapping[Partition, int] | None = None) -> None:
        """Commit the batch; an empty one only sends the watermarks of idle partitions, when those are due.

        `behind` is the first offset of each partition of which records were read that are in later batches.
        Raises Unavailable if the transaction was aborted, Fenced if the feed must be rebuilt.
        """
        self._drop_forgotten(batch)
        # What was read and waits is not counted yet: no watermark may pass it.
        states = {
            partition: PartitionState(min(state.position, (behind or {}).get(partition, state.position)), state.end)
            for partition, state in feed.partitions().items()
        }
        offsets = self._offsets(batch, states)
        messages = [
            *self._records(batch),
            *self._counts(feed, batch),
            *self._dead(batch),
            *self._marks(feed, batch, states),
        ]
        if messages or offsets:
            try:
                feed.commit(messages, offsets)
            except BaseException:
                self._watermarks.rollback()
                raise
            self._watermarks.commit()
            self._read_to |= offsets
            self._account(batch)

    def _drop_forgotten(self, batch: Batch) -> None:
        if not (forgotten := self._forgotten):
            return
        batch.enriched = forgotten.exclude(batch.enriched)
        batch.dead = [
            letter for letter in batch.dead if not forgotten.contains([letter.author_id or ""], letter.timestamp_ms)
        ]

    def _offsets(self, batch: Batch, states: Mapping[Partition, PartitionState]) -> dict[Partition, int]:
        """The next offsets to read: behind the batch, and behind what is no record there, as a transaction's marker."""
        offsets = {partition: last + 1 for partition, (_, last) in batch.offsets().items()}
        for partition in self._read_to.keys() - states.keys():
            del self._read_to[partition]
        for partition, state in states.items():
            if state.position > offsets.get(partition, self._read_to.setdefault(partition, state.position)):
                offsets[partition] = state.position
        return offsets

    def _records(self, batch: Batch) -> list[Message]:
        topic = self._topics["enriched"]
        return [Message(topic, item.document_id.encode(), item.body) for item in batch.enriched]

    def _dead(self, batch: Batch) -> list[Message]:
        topic = self._topics["dead-letter"]
        return [Message(topic, letter.key.encode(), msgspec.json.encode(letter)) for letter in batch.dead]

    def _counts(self, feed: Source, batch: Batch) -> list[Message]:
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
        if not counted:
            return []
        topic = self._topics["window-counts"]
        counts = count_windows(counted, self._window_ms, self._dimensions, batch.offsets())
        return [
            Message(topic, None, msgspec.json.encode(message), partition)
            for partition, message in pack_counts(counts, self._group_by, feed.partition_count(topic))
        ]

    def _marks(self, feed: Source, batch: Batch, states: Mapping[Partition, PartitionState]) -> list[Message]:
        events = {item.accepted.position: item.accepted.event_ms for item in batch.enriched}
        for message in batch.incoming:
            self._watermarks.observe(message.position, events.get(message.position), message.timestamp_ms)
        topic = self._topics["window-counts"]
        self._show_lag(states)
        marks = self._watermarks.due(states)
        if not marks:
            return []
        return [
            Message(topic, None, msgspec.json.encode(mark), partition)
            for mark in marks
            for partition in range(feed.partition_count(topic))
        ]

    def _show_lag(self, states: Mapping[Partition, PartitionState]) -> None:
        for partition in self._shown - states.keys():
            # Another worker reports it now; the last value seen here would stand for ever.
            self._metrics.consumer_lag.remove(*partition)
        for partition, state in states.items():
            self._metrics.consumer_lag.labels(*partition).set(state.lag)
        self._shown = set(states)

    def _account(self, batch: Batch) -> None:
        now_ms = self._wall.now_ms()
        self._metrics.last_commit_timestamp_seconds.set(now_ms / 1000)
        self._metrics.batch_records.observe(len(batch.incoming))
        for channel, count in Counter(item.record.channel for item in batch.enriched).items():
            self._metrics.records_enriched.labels(channel).inc(count)
        observe_all(
            self._metrics.record_latency_seconds,
            [
                max(0, now_ms - item.accepted.broker_ms) / 1000
                for item in batch.enriched
                if item.accepted.original is None
            ],
        )


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
