"""Replays: enriches raw records of a time range again, or the documents that a model version classified."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from elasticsearch import Elasticsearch
from kafka.errors import KafkaError

from triage.clock import Clock
from triage.config import Settings
from triage.elastic import documents
from triage.elastic.author_keys import recorded_checks
from triage.elastic.client import connect, wait_until_ready
from triage.errors import Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.assemble import build_enricher, check_author_key, index_naming
from triage.pipeline.backfill.reenrich import reenrich
from triage.pipeline.backfill.rewrite import Rewriter
from triage.pipeline.batch import Batch, ConsumedMessage, Enriched
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors, follow_erased_authors
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, OwnIntents
from triage.redaction import Redactor
from triage.redaction.author_keys import require_recorded_keys
from triage.retries.backoff import backoff
from triage.retries.outages import Outages
from triage.retries.until_available import until_available
from triage.sinks.checked import index_sink
from triage.topics import require_topics, translate
from triage.topics.definitions import RAW_TOPICS
from triage.topics.kafka_types import ConsumerRecord, TopicPartition
from triage.topics.scan import Range, TopicScan
from triage.topics.unreadable import UnreadableBatch
from triage.types import Channel, Model, Position

log = get_logger("triage.replay")


@dataclass(frozen=True)
class Request:
    """The selection of records to replay.

    Without a `model_version` raw records of the channels are replayed, else the documents that this model version
    classified. `from_ms` (None: from the first) and `to_ms`, in ms since the epoch, limit the broker's timestamp of raw
    records, or the event time of documents. `again` also replays records that an earlier run of the same request
    completed.
    """

    from_ms: int | None
    to_ms: int
    channels: tuple[Channel, ...]
    model_version: str | None = None
    again: bool = False


@dataclass
class ReplayProgress:
    """Counts of the records in a replay so far.

    `total` are to be replayed; an earlier run of the same request processed `resumed` of them. Of those that were
    `read`, `written` were stored, `superseded` had newer content in the index, `forgotten` are by erased authors, and
    `refused` could not be processed, by reason.
    """

    total: int = 0
    resumed: int = 0
    read: int = 0
    written: int = 0
    superseded: int = 0
    forgotten: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Replay:
    """One replay, run while workers process live traffic.

    It is rate-limited, does not change the window counts that alerts use, and never overwrites newer content. Documents
    keep their `_id` and version, so there are no duplicates. When `stop` returns True, it ends after the current batch.
    `on_batch` is called with the progress after each batch, `on_refused` with (position or document `_id`, reason) of
    each record that is left out.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        request: Request,
        *,
        stop: Callable[[], bool] = bool,
        on_batch: Callable[[ReplayProgress], None] | None = None,
        on_refused: Callable[[str, str], None] | None = None,
        model: Model | None = None,
        own_intents: OwnIntents | None = None,
    ) -> None:
        self._own_intents = own_intents
        self._settings = settings
        self._clock = clock
        self._outages = Outages(clock)
        self._request = request
        self._stop = stop
        self._on_batch = on_batch
        self._on_refused = on_refused
        self._model = model
        self.progress = ReplayProgress()

    def size(self) -> ReplayProgress:
        """Count the records to replay, without replaying them; only `total` of the result is set.

        Raises Unavailable, AccessDenied or ConfigError if Kafka or Elasticsearch cannot be read.
        """
        with self._elasticsearch() as client:
            if self._request.model_version is not None:
                self.progress.total = documents.count(client, self._settings.elasticsearch, self._query())
                return self.progress
        with TopicScan(self._settings.kafka, "triage-replay") as scan:
            self._ranges(scan)
        return self.progress

    def run(self) -> ReplayProgress:
        """Replay the records; writing is retried while a dependency is unavailable.

        Raises ConfigError, ModelError, AccessDenied or DependencyError for problems that waiting cannot resolve, and
        Unavailable if Kafka or Elasticsearch cannot be read.
        """
        settings = self._settings
        check_author_key(settings)
        require_topics(settings.kafka, [*RAW_TOPICS.values(), "enriched", "forgotten"])
        redactor = Redactor(settings.redaction)
        erased_authors = ErasedAuthors(redactor)
        follower = follow_erased_authors(settings.kafka, erased_authors)
        with self._elasticsearch() as client:
            enricher = build_enricher(
                settings, self._clock, self._model, redactor=redactor, own_intents=self._own_intents
            )
            elastic, wait_s = settings.elasticsearch, settings.elasticsearch.start_timeout_s
            recorded = until_available(lambda _: recorded_checks(client, elastic), self._clock, wait_s)
            require_recorded_keys(settings.redaction, recorded)
            naming = index_naming(client, elastic, self._clock)
            follower.start_and_wait(settings.kafka.start_timeout_s)
            group = self._group(enricher)
            rewriter = Rewriter(settings, client, index_sink(client, settings.elasticsearch), naming, group)
            try:
                if self._request.model_version is not None:
                    self._replay_documents(client, enricher, erased_authors, rewriter)
                else:
                    self._replay_records(enricher, redactor, erased_authors, rewriter, group)
            finally:
                rewriter.close()
                follower.stop()
        return self.progress

    def _replay_documents(
        self, client: Elasticsearch, enricher: Enricher, erased_authors: ErasedAuthors, rewriter: Rewriter
    ) -> None:
        settings = self._settings.elasticsearch
        documents.refresh(client, settings)
        self.progress.total = documents.count(client, settings, self._query())
        due = self._clock.monotonic()
        for page in documents.pages(client, settings, self._query(), self._settings.replay.batch_records):
            if self._stop():
                return
            kept = [
                item for item in page if not erased_authors.contains([item.record.author_id or ""], item.written_ms)
            ]
            self.progress.read += len(page)
            self.progress.forgotten += len(page) - len(kept)
            if kept:
                self._write(rewriter, reenrich(enricher, kept), {})
            due = self._pace(due, len(page))

    def _replay_records(
        self, enricher: Enricher, redactor: Redactor, erased_authors: ErasedAuthors, rewriter: Rewriter, group: str
    ) -> None:
        settings = self._settings
        # Metrics of its own: records that are refused here were counted as dead letters long ago.
        metrics = Metrics()
        dead_letter_factory = DeadLetterFactory(redactor, self._clock, metrics)
        channels = {settings.kafka.topic(RAW_TOPICS[each]): each for each in self._request.channels}
        decode = DecodeStage(settings.worker, channels, dead_letter_factory, self._clock, metrics, erased_authors)
        with TopicScan(settings.kafka, "triage-replay", group, unreadable=self._left_out) as scan:
            ranges = self._without_resumed(scan, self._ranges(scan))
            due = self._clock.monotonic()
            for records in _batches(scan.read(ranges), settings.replay.batch_records):
                if self._stop():
                    return
                batch = Batch([_consumed(record) for record in records])
                decode.process(batch)
                self.progress.read += len(records)
                self.progress.forgotten += len(records) - len(batch.validated) - len(batch.dead_letters)
                for letter in batch.dead_letters:
                    self._refused(letter.position, letter.reason)
                offsets = {TopicPartition(*where): last + 1 for where, (_, last) in batch.offset_ranges().items()}
                self._write(rewriter, enricher.enrich(batch.validated) if batch.validated else [], offsets)
                due = self._pace(due, len(records))

    def _write(self, rewriter: Rewriter, batch: Sequence[Enriched], offsets: Mapping[TopicPartition, int]) -> None:
        waits = backoff(self._settings.worker.backoff_initial_s, self._settings.worker.backoff_max_s)
        while True:
            try:
                written = rewriter.write(batch, offsets)
                break
            except Unavailable as error:
                if self._stop():
                    raise
                wait_s = next(waits)
                self._outages.failed(error.dependency, str(error))
                self._clock.sleep(wait_s)
        self._outages.over()
        self.progress.written += written.written
        self.progress.superseded += written.superseded
        for position, reason in written.refused:
            self._refused(batch[position].document_id, f"index_rejected: {reason}")
        if self._on_batch is not None:
            self._on_batch(self.progress)

    def _left_out(self, batch: UnreadableBatch) -> None:
        self._refused(batch.position, f"unreadable_batch: {batch.content}: {batch.reason}")

    def _refused(self, what: str, reason: str) -> None:
        self.progress.refused[reason.partition(":")[0]] += 1
        if self._on_refused is not None:
            self._on_refused(what, reason)

    def _pace(self, due: float, records: int) -> float:
        """Wait so that `replay.rate` records a second are read; returns the time at which the next batch is due.

        `due` and the result are in s of the monotonic clock. Lost time beyond 1 s is not caught up.
        """
        due = max(due + records / self._settings.replay.rate, self._clock.monotonic() - 1)
        while (ahead := due - self._clock.monotonic()) > 0 and not self._stop():
            self._clock.sleep(min(ahead, 0.2))
        return due

    def _ranges(self, scan: TopicScan) -> dict[TopicPartition, Range]:
        partitions = [
            each for channel in self._request.channels for each in scan.existing_partitions(RAW_TOPICS[channel])
        ]
        ranges = scan.ranges(partitions, self._request.from_ms, self._request.to_ms)
        self.progress.total = sum(end - start for start, end in ranges.values())
        return ranges

    def _without_resumed(self, scan: TopicScan, ranges: dict[TopicPartition, Range]) -> dict[TopicPartition, Range]:
        """Return the offset ranges without those that an earlier run of the same request has committed."""
        if self._request.again:
            return ranges
        try:
            done = {where: scan.consumer.committed(where) or 0 for where in ranges}
        except KafkaError as error:
            raise translate(error) from error
        left = {where: (min(max(start, done[where]), end), end) for where, (start, end) in ranges.items()}
        self.progress.resumed = self.progress.total - sum(end - start for start, end in left.values())
        return left

    def _group(self, enricher: Enricher) -> str:
        """Return the consumer group of this request: its name has a hash of request, model and rules.

        So a replay of the same request resumes, while one with another model or other rules starts over.
        """
        request = msgspec.structs.asdict(enricher.versions) | {
            "range": [self._request.from_ms, self._request.to_ms],
            "channels": sorted(self._request.channels),
        }
        return f"{self._settings.worker.group}-replay-{hashlib.sha256(msgspec.json.encode(request)).hexdigest()[:12]}"

    def _query(self) -> dict[str, object]:
        request = self._request
        assert request.model_version is not None
        return documents.by_model(request.model_version, request.from_ms, request.to_ms, request.channels)

    @contextmanager
    def _elasticsearch(self) -> Iterator[Elasticsearch]:
        client = connect(self._settings.elasticsearch)
        try:
            wait_until_ready(client, self._settings.elasticsearch, self._clock)
            yield client
        finally:
            client.close()


def _consumed(record: ConsumerRecord) -> ConsumedMessage:
    position = Position(record.topic, record.partition, record.offset)
    return ConsumedMessage(position, record.timestamp, record.value or b"", tuple(record.headers or ()))


def _batches(polls: Iterator[list[ConsumerRecord]], size: int) -> Iterator[list[ConsumerRecord]]:
    for records in polls:
        for start in range(0, len(records), size):
            yield records[start : start + size]
