"""Erases everything stored about one author (the right to erasure), so that a replay does not restore it."""

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaProducer
from kafka.errors import KafkaError

from triage.clock import Clock, SystemClock
from triage.config import KafkaSettings, Settings
from triage.elastic.client import connect, wait_until_ready
from triage.logging import get_logger
from triage.pipeline.erasure.places import Erased, Erasure
from triage.pipeline.erasure.survey import survey
from triage.pipeline.erasure.tombstones import TOPIC
from triage.pipeline.kafka.producer import MAX_REQUEST_BYTES
from triage.redaction import Redactor
from triage.retries.until_available import until_available
from triage.topics import require_topics, translate, wait_for_kafka
from triage.topics.definitions import RAW_TOPICS, TURNS
from triage.topics.kafka_compat import closing_on_failure, end_producer
from triage.topics.kafka_types import Producer, RecordFuture
from triage.topics.retention import retention_of
from triage.topics.scan import TopicScan

log = get_logger("triage.forget")

_CLOSE_TIMEOUT_S = 5.0
# Time after the delivery timeout in which the producer fails what it could not deliver.
_EXPIRY_MS = 1_000


def forget(settings: Settings, clock: Clock, source: str | None, author: str, *, dry_run: bool = False) -> Erased:
    """Erase what `author` of `source` has written so far, under every author key; the result counts what was found.

    First the author is added to the list that workers and replays read. Then examples of alerts, dead letters and
    corrections are erased, and each document gets a tombstone in `feedback.enriched` and is deleted. All of this is
    repeated once for records that a worker had in flight. A second call is safe and completes an interrupted one.
    With `dry_run` nothing is erased. A `source` of None means records without a source.

    Before anything is erased it raises ConfigError if a key is not the one that made the hashes of its version, and
    Unavailable if a part of the index cannot be searched. AccessDenied (no permission for a topic or an index),
    Unavailable and DependencyError are also raised later: the erasure is then incomplete, and must be repeated.
    """
    settings.require_own_author_key()
    redactor = Redactor(settings.redaction)
    names = [*RAW_TOPICS.values(), "enriched", "dead-letter", "alerts", TOPIC]
    require_topics(settings.kafka, names)
    client = connect(settings.elasticsearch)
    try:
        wait_until_ready(client, settings.elasticsearch, SystemClock())
        with TopicScan(settings.kafka, "triage-forget") as scan, _writer(settings, dry_run=dry_run) as writer:
            found = survey(settings, client, scan, redactor, source, author)
            erased = Erased(found.hashes, found)
            erasure = Erasure(settings, client, scan, writer, erased)
            # Documents carry the broker's time as their version, so the time is that of the real clock.
            erasure.run(SystemClock().now_ms(), clock, dry_run=dry_run)
    finally:
        client.close()
    erased.raw = retention_of(settings.kafka, [*RAW_TOPICS.values(), TURNS], SystemClock().now_ms())
    log.info(
        "author_forgotten" if not dry_run else "author_looked_up",
        author=erased.authors[0],
        documents=erased.documents,
        dead_letters=erased.dead_letters,
        alerts=erased.alerts,
    )
    return erased


class _Writer:
    """Sends messages to Kafka; `flush` waits for all acknowledgements. Without a producer (dry run) it drops them."""

    def __init__(self, settings: Settings, producer: Producer | None) -> None:
        self._kafka = settings.kafka
        self._producer = producer
        self._timeout_s = (_delivery_timeout_ms(settings.kafka) + _EXPIRY_MS) / 1000
        self._futures: list[RecordFuture] = []

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        if self._producer is not None:
            self._futures.append(self._producer.send(self._kafka.topic(topic), key=key, value=value))

    def flush(self) -> None:
        for future in self._futures:
            future.get(timeout=self._timeout_s)
        self._futures = []


@contextmanager
def _writer(settings: Settings, *, dry_run: bool) -> Iterator[_Writer]:
    if dry_run:
        yield _Writer(settings, None)
        return
    kafka = settings.kafka

    def connect(left_s: float) -> Producer:
        wait_for_kafka(kafka, timeout_s=left_s)
        with _translated(), closing_on_failure() as client:
            made: Producer = KafkaProducer(
                **kafka.client(),
                kafka_client=client,
                client_id="triage-forget",
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=kafka.request_timeout_ms,
                delivery_timeout_ms=_delivery_timeout_ms(kafka),
                max_block_ms=kafka.request_timeout_ms,
                max_request_size=MAX_REQUEST_BYTES,
            )
        return made

    producer = until_available(connect, SystemClock(), kafka.start_timeout_s)
    with _translated():
        try:
            yield _Writer(settings, producer)
        finally:
            end_producer(producer, _CLOSE_TIMEOUT_S)


def _delivery_timeout_ms(kafka: KafkaSettings) -> int:
    """The longest time, in ms, for the acknowledgement of a message: a frozen leader holds the first request."""
    return 2 * kafka.request_timeout_ms


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise translate(error, doing="forgetting an author") from error
