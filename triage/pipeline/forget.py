"""The right to erasure: everything that is kept of one author goes, and does not come back by a replay."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec
from elasticsearch import Elasticsearch
from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from triage.clock import Clock, SystemClock
from triage.config import Settings
from triage.elastic import documents
from triage.elastic.alert_examples import alerts_with_examples, store_alert
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.corrections import erase_corrections
from triage.logging import get_logger
from triage.pipeline.deadletter_book import entries
from triage.pipeline.forgotten import TOPIC
from triage.redaction import Redactor
from triage.schemas.alert import Alert
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.forgotten import ForgottenAuthor
from triage.topics import require_topics, translate, wait_for_kafka
from triage.topics.definitions import RAW_TOPICS
from triage.topics.retention import Retention, retention_of
from triage.topics.scan import TopicScan

log = get_logger("triage.forget")

_PAGE = 500
# Workers read the list twice a second; a batch in hand is done by then, or was stuck and is looked for again.
_SETTLE_S = 5.0
_MOST_NAMED = 20


@dataclass
class Erased:
    """What was found of the author, and erased unless it was a dry run. `open_alerts` are still firing."""

    authors: list[str]
    documents: int = 0
    indices: dict[str, int] = field(default_factory=dict)
    late: int = 0
    dead_letters: int = 0
    alerts: int = 0
    corrections: int = 0
    open_alerts: list[str] = field(default_factory=list)
    raw: list[Retention] = field(default_factory=list)


def forget(settings: Settings, clock: Clock, source: str | None, author: str, *, dry_run: bool = False) -> Erased:
    """Erase what `author` of `source` wrote until now, under every author key there is.

    First the list that workers and replays read, then for each document its tombstone in `feedback.enriched` and its
    deletion, then dead letters and examples of alerts, then whatever a worker had in hand meanwhile. Repeating it is
    safe and completes what was interrupted. Raises Unavailable, AccessDenied, ConfigError.
    """
    hashes = Redactor(settings.redaction).author_hashes(source, author)
    erased = Erased(hashes)
    names = [*RAW_TOPICS.values(), "enriched", "dead-letter", "alerts", TOPIC]
    require_topics(settings.kafka, names)
    client = connect(settings.elasticsearch)
    try:
        wait_until_ready(client, settings.elasticsearch, SystemClock())
        with TopicScan(settings.kafka, "triage-forget") as scan, _writer(settings, dry_run=dry_run) as writer:
            work = _Erasure(settings, client, scan, writer, hashes, erased)
            # Documents carry the broker's time as their version, so the moment is of the real clock.
            work.run(SystemClock().now_ms(), clock, dry_run=dry_run)
    finally:
        client.close()
    erased.raw = retention_of(settings.kafka, RAW_TOPICS.values(), SystemClock().now_ms())
    log.info(
        "author_forgotten" if not dry_run else "author_looked_up",
        author=hashes[0],
        documents=erased.documents,
        dead_letters=erased.dead_letters,
        alerts=erased.alerts,
    )
    return erased


class _Erasure:
    def __init__(
        self,
        settings: Settings,
        client: Elasticsearch,
        scan: TopicScan,
        writer: "_Writer",
        hashes: list[str],
        erased: Erased,
    ) -> None:
        self._settings = settings
        self._client = client
        self._scan = scan
        self._writer = writer
        self._hashes = frozenset(hashes)
        self._erased = erased
        self._ids: set[str] = set()

    def run(self, at_ms: int, clock: Clock, *, dry_run: bool) -> None:
        enriched = self._scan.partitions([self._settings.kafka.topic("enriched")])
        before = {where: end for where, (_, end) in self._scan.ranges(enriched).items()}
        for author in self._erased.authors:
            entry = msgspec.json.encode(ForgottenAuthor(author=author, at_ms=at_ms))
            self._writer.send(TOPIC, author, entry)
        self._writer.flush()
        self._documents(at_ms, dry_run=dry_run)
        self._dead_letters()
        self._corrections(dry_run=dry_run)
        self._alerts(dry_run=dry_run)
        if not dry_run:
            clock.sleep(_SETTLE_S)
            self._documents(at_ms, dry_run=False)
            self._stragglers(before)
            self._corrections(dry_run=False)
            self._alerts(dry_run=False)

    def _documents(self, at_ms: int, *, dry_run: bool) -> None:
        settings = self._settings.elasticsearch
        documents.refresh(self._client, settings)
        for page in documents.pages(self._client, settings, documents.by_authors(self._hashes), _PAGE):
            mine = [item for item in page if item.version <= at_ms]
            for item in mine:
                self._writer.send("enriched", item.id, None)
                self._ids.add(item.id)
                self._erased.indices[item.index] = self._erased.indices.get(item.index, 0) + 1
            # The tombstones first: after a crash in between, the documents are still found.
            self._writer.flush()
            self._erased.documents += len(mine)
            if not dry_run:
                documents.delete(self._client, [(item.index, item.id) for item in mine], at_ms)
        if not dry_run:
            documents.refresh(self._client, settings)

    def _stragglers(self, before: dict[TopicPartition, int]) -> None:
        """What a worker had in hand: the index refused it, but its topic did not."""
        ranges = self._scan.ranges(before)
        last: dict[str, bool] = {}
        for records in self._scan.read({where: (before[where], end) for where, (_, end) in ranges.items()}):
            for record in records:
                last[(record.key or b"").decode()] = record.value is not None and self._wrote(record.value)
        for key, mine in last.items():
            if mine:
                self._writer.send("enriched", key, None)
                self._ids.add(key)
                self._erased.late += 1
        self._writer.flush()

    def _wrote(self, value: bytes) -> bool:
        try:
            return msgspec.json.decode(value, type=EnrichedRecord).author_id in self._hashes
        except msgspec.MsgspecError:
            return False

    def _dead_letters(self) -> None:
        """Letters whose payload names the author; one that could not be read at all names nobody."""
        mine: dict[str, bool] = {}
        for key, letter in entries(self._scan, self._settings.kafka.topic("dead-letter")):
            mine[key] = letter is not None and any(author in letter.payload for author in self._hashes)
        for key, found in mine.items():
            if found:
                self._writer.send("dead-letter", key, None)
                self._erased.dead_letters += 1
        self._writer.flush()

    def _corrections(self, *, dry_run: bool) -> None:
        """What people said of the author's texts carries those texts."""
        settings = self._settings.elasticsearch
        self._erased.corrections += erase_corrections(self._client, settings, self._hashes, dry_run=dry_run)

    def _alerts(self, *, dry_run: bool) -> None:
        """Examples, in the index and in the topic, which may each know of a newer state than the other."""
        if not self._ids:
            return
        settings = self._settings.elasticsearch
        quoting: dict[str, Alert] = {}
        for version, alert in alerts_with_examples(self._client, settings, sorted(self._ids)):
            quoting[alert.dedup_key] = alert
            if not dry_run:
                store_alert(self._client, settings, self._scrubbed(alert), version)
        for key, alert in self._published_alerts().items():
            scrubbed = self._scrubbed(alert)
            if scrubbed is not alert:
                quoting[key] = alert
                self._writer.send("alerts", key, msgspec.json.encode(scrubbed))
        self._writer.flush()
        self._erased.alerts += len(quoting)
        still_open = {key for key, alert in quoting.items() if alert.status == "firing"}
        self._erased.open_alerts = sorted(still_open.union(self._erased.open_alerts))[:_MOST_NAMED]

    def _published_alerts(self) -> dict[str, Alert]:
        """The last state of each alert in the topic."""
        states: dict[str, Alert] = {}
        topic = self._settings.kafka.topic("alerts")
        for records in self._scan.read(self._scan.ranges(self._scan.partitions([topic]))):
            for record in records:
                with suppress(msgspec.MsgspecError):
                    if record.value is not None:
                        states[(record.key or b"").decode()] = msgspec.json.decode(record.value, type=Alert)
        return states

    def _scrubbed(self, alert: Alert) -> Alert:
        kept = [example for example in alert.examples if example.id not in self._ids]
        return alert if len(kept) == len(alert.examples) else msgspec.structs.replace(alert, examples=kept)


class _Writer:
    """Messages to our topics, acknowledged at `flush`; a dry run's go nowhere."""

    def __init__(self, settings: Settings, producer: KafkaProducer | None) -> None:
        self._kafka = settings.kafka
        self._producer = producer
        self._timeout_s = settings.kafka.request_timeout_ms / 1000
        self._futures: list[object] = []

    def send(self, topic: str, key: str, value: bytes | None) -> None:
        if self._producer is not None:
            self._futures.append(self._producer.send(self._kafka.topic(topic), key=key.encode(), value=value))

    def flush(self) -> None:
        for future in self._futures:
            future.get(timeout=self._timeout_s)  # type: ignore[attr-defined]
        self._futures = []


@contextmanager
def _writer(settings: Settings, *, dry_run: bool) -> Iterator[_Writer]:
    if dry_run:
        yield _Writer(settings, None)
        return
    wait_for_kafka(settings.kafka)
    try:
        producer = KafkaProducer(
            **settings.kafka.client(),
            client_id="triage-forget",
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=settings.kafka.request_timeout_ms,
            max_block_ms=settings.kafka.request_timeout_ms,
            max_request_size=8 * 1024 * 1024,
        )
        try:
            yield _Writer(settings, producer)
        finally:
            producer.close(timeout=5)
    except KafkaError as error:
        raise translate(error, doing="forgetting an author") from error
