"""Publishes a batch: enriched records, window counts, watermarks, dead letters and offsets in one Kafka transaction.

Threads. Only the worker's own thread, the one that owns the source, calls `publish`; a Publisher has no lock. Of what
it reads only the set of erased authors is filled by another thread, and that one is thread-safe.

State. It owns the watermarks and the offset to which each assigned partition was committed. After a failed transaction
the watermarks are rolled back to those of the last committed one; records are counted in the metrics only after the
commit.

Blocking and retries. `publish` blocks while it asks the broker for the ends of the partitions and while it commits;
each of these waits is bounded. It does not retry: it raises, and the worker calls it again with the same batch.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

import msgspec

from triage.clock import Clock, SystemClock
from triage.config import AlertingSettings, KafkaSettings
from triage.metrics import Metrics, observe_all
from triage.pipeline.batch import Batch, Enriched, Partition
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.pipeline.lag_log import LagLog
from triage.pipeline.source import Message, PartitionState, Source
from triage.pipeline.window_counts.counting import CountedRecord, count_windows
from triage.pipeline.window_counts.packing import pack_counts
from triage.pipeline.window_counts.updates import CountedUpdates
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel


class Publisher:
    """Converts a completed batch to Kafka messages and commits them, with the consumed offsets, in one transaction."""

    def __init__(
        self,
        kafka: KafkaSettings,
        alerting: AlertingSettings,
        watermarks: PartitionWatermarks,
        metrics: Metrics,
        wall: Clock | None = None,
        erased_authors: ErasedAuthors | None = None,
        sources_with_updates: Collection[str] = (),
        lag_log: LagLog | None = None,
    ) -> None:
        """Create a publisher; records by one of the `erased_authors` are left out of what it publishes.

        They are checked here because an author may be erased while a batch waits. `sources_with_updates` are the names
        of the sources that send a record again with every change: windows count such a record once. `wall` is the clock
        of the latency metric, by default the system's.
        """
        self._erased_authors = erased_authors
        self._topics = {name: kafka.topic(name) for name in ("enriched", "window-counts", "dead-letter")}
        self._sources_with_updates = frozenset(sources_with_updates)
        self._counted_updates = CountedUpdates()
        self._window_ms = alerting.window_s * 1000
        self._dimensions = alerting.dimensions
        self._group_by = alerting.group_by
        self._watermarks = watermarks
        # Latency is about the broker's real timestamps, also where the rest runs on simulated time.
        self._wall = wall or SystemClock()
        self._metrics = metrics
        self._lag_log = lag_log
        self._with_lag_metric: set[Partition] = set()
        self._committed: dict[Partition, int] = {}

    def publish(
        self, source: Source, batch: Batch, lowest_uncommitted_offsets: Mapping[Partition, int] | None = None
    ) -> None:
        """Publish the batch and commit its offsets in one transaction.

        An empty batch sends only the watermarks of idle partitions, if those are due. `lowest_uncommitted_offsets` has,
        by partition, the lowest offset in later batches, which limits the watermarks. Raises Unavailable if the
        transaction was aborted, Fenced if the source must be rebuilt.
        """
        self._drop_erased_authors(batch)
        # Messages that were read and wait are not counted yet: no watermark may pass them.
        waiting = lowest_uncommitted_offsets or {}
        states = {
            partition: replace(state, position=min(state.position, waiting.get(partition, state.position)))
            for partition, state in source.partitions().items()
        }
        offsets = self._offsets_to_commit(batch, states)
        messages = [
            *self._enriched_messages(batch),
            *self._count_messages(source, batch),
            *self._dead_letter_messages(batch),
            *self._watermark_messages(source, batch, states),
        ]
        if messages or offsets:
            try:
                source.commit(messages, offsets)
            except BaseException:
                self._watermarks.rollback()
                raise
            self._watermarks.commit()
            self._counted_updates.commit()
            self._committed |= offsets
            self._update_metrics(batch)

    def _drop_erased_authors(self, batch: Batch) -> None:
        if not (erased := self._erased_authors):
            return
        batch.enriched = erased.exclude(batch.enriched)
        batch.dead_letters = [
            letter
            for letter in batch.dead_letters
            if not erased.contains([letter.author_id or ""], letter.timestamp_ms)
        ]

    def _offsets_to_commit(self, batch: Batch, states: Mapping[Partition, PartitionState]) -> dict[Partition, int]:
        """Return the next offset to read of each partition: after the batch, and after transaction markers.

        Markers take up an offset but are no records, so a partition without records in the batch can advance too.
        """
        offsets = {partition: last + 1 for partition, (_, last) in batch.offset_ranges().items()}
        for partition in self._committed.keys() - states.keys():
            del self._committed[partition]
        for partition, state in states.items():
            if state.position > offsets.get(partition, self._committed.setdefault(partition, state.position)):
                offsets[partition] = state.position
        return offsets

    def _enriched_messages(self, batch: Batch) -> list[Message]:
        topic = self._topics["enriched"]
        return [Message(topic, item.document_id.encode(), item.body) for item in batch.enriched]

    def _dead_letter_messages(self, batch: Batch) -> list[Message]:
        topic = self._topics["dead-letter"]
        return [Message(topic, letter.key.encode(), msgspec.json.encode(letter)) for letter in batch.dead_letters]

    def _count_messages(self, source: Source, batch: Batch) -> list[Message]:
        counted = [
            CountedRecord(
                item.validated.position,
                item.validated.counted_ms,
                dimensions_of(item.record),
                item.record.sentiment.label == SentimentLabel.NEGATIVE,
                item.document_id if self._sends_updates(item) else None,
            )
            for item in batch.enriched
            if item.validated.position is not None and item.record.written
        ]
        if not counted:
            return []
        topic = self._topics["window-counts"]
        self._counted_updates.begin()
        counts = count_windows(counted, self._window_ms, self._dimensions, batch.offset_ranges(), self._counted_updates)
        return [
            Message(topic, None, msgspec.json.encode(message), partition)
            for partition, message in pack_counts(counts, self._group_by, source.partition_count(topic))
        ]

    def _sends_updates(self, item: Enriched) -> bool:
        raw = item.validated.raw
        return raw.id is not None and raw.source in self._sources_with_updates

    def _watermark_messages(
        self, source: Source, batch: Batch, states: Mapping[Partition, PartitionState]
    ) -> list[Message]:
        events = {item.validated.position: item.validated.counted_ms for item in batch.enriched}
        for message in batch.consumed:
            self._watermarks.observe(message.position, events.get(message.position), message.timestamp_ms)
        topic = self._topics["window-counts"]
        self._update_lag(states)
        watermarks = self._watermarks.due(states)
        if not watermarks:
            return []
        return [
            Message(topic, None, msgspec.json.encode(watermark), partition)
            for watermark in watermarks
            for partition in range(source.partition_count(topic))
        ]

    def _update_lag(self, states: Mapping[Partition, PartitionState]) -> None:
        for partition in self._with_lag_metric - states.keys():
            # Another worker reports it now; the last value of this one would stay for ever.
            self._metrics.consumer_lag.remove(*partition)
        for partition, state in states.items():
            self._metrics.consumer_lag.labels(*partition).set(state.lag)
        self._with_lag_metric = set(states)
        if self._lag_log is not None:
            self._lag_log.update(sum(state.lag for state in states.values()), len(states))

    def _update_metrics(self, batch: Batch) -> None:
        now_ms = self._wall.now_ms()
        self._metrics.last_commit_timestamp_seconds.set(now_ms / 1000)
        self._metrics.batch_records.observe(len(batch.consumed))
        for channel, count in Counter(item.record.channel for item in batch.enriched).items():
            self._metrics.records_enriched.labels(channel).inc(count)
        observe_all(
            self._metrics.record_latency_seconds,
            [
                max(0, now_ms - item.validated.broker_ms) / 1000
                for item in batch.enriched
                if item.validated.original is None
            ],
        )


def dimensions_of(record: EnrichedRecord) -> Mapping[str, str | None]:
    """Return the record's value for each field by which alert rules can count; None if it has no value.

    All values come from the redacted record.
    """
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
