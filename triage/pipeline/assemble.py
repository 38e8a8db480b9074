"""Builds the parts of a worker from settings: the one place that knows them all."""

from triage.clock import Clock
from triage.config import Settings
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.inference.language import preload
from triage.inference.model import OnnxModel
from triage.metrics import Metrics
from triage.pipeline.deadletters import DeadLetterOffice
from triage.pipeline.decode import DecodeStage
from triage.pipeline.enrich import Enricher, EnrichStage
from triage.pipeline.health import Health
from triage.pipeline.index import IndexStage
from triage.pipeline.kafka_feed import KafkaFeed
from triage.pipeline.publish import Publisher
from triage.pipeline.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.sinks.elasticsearch import IndexSink
from triage.topics import require_topics, wait_for_kafka
from triage.topics.definitions import RAW_TOPICS
from triage.types import Channel, Model

_PROBE_S = 5.0
OUTPUT_TOPICS = ("enriched", "window-counts", "dead-letter")


def build_enricher(
    settings: Settings,
    clock: Clock,
    model: Model | None = None,
    metrics: Metrics | None = None,
    redactor: Redactor | None = None,
) -> Enricher:
    """The enrichment of the worker and of `triage enrich`. Raises ConfigError or ModelError."""
    rules = load_rules(settings.rules.path)
    loaded = model or OnnxModel.load(settings.model, metrics)
    preload()
    return Enricher(loaded, redactor or Redactor(settings.redaction), rules, settings.worker, clock)


def build_worker(
    settings: Settings, clock: Clock, metrics: Metrics, model: Model | None = None
) -> tuple[Worker, Health]:
    """A worker that is ready to run: model warm, Elasticsearch reached, index set up.

    Raises ConfigError, ModelError, AccessDenied, or Unavailable when Kafka or Elasticsearch stays away at start.
    """
    redactor = Redactor(settings.redaction)
    enricher = build_enricher(settings, clock, model, metrics, redactor)
    office = DeadLetterOffice(redactor, clock, metrics)
    client = connect(settings.elasticsearch)
    wait_until_ready(client, settings.elasticsearch, clock)
    raw = {RAW_TOPICS[Channel(name)]: Channel(name) for name in settings.worker.channels}
    require_topics(settings.kafka, [*raw, *OUTPUT_TOPICS])
    channels = {settings.kafka.topic(name): channel for name, channel in raw.items()}
    naming = IndexNaming(settings.elasticsearch.index_prefix, read_daily_from(client, settings.elasticsearch))
    name = f"{settings.worker.fleet}-{settings.worker.slot}"
    health = Health(clock, {"worker": name, "versions": enricher.versions})
    worker = Worker(
        lambda: _join(settings, sorted(channels), name),
        [
            DecodeStage(settings.worker, channels, office, clock, metrics),
            EnrichStage(enricher, metrics),
            IndexStage(IndexSink(client, settings.elasticsearch), naming, office, metrics),
        ],
        Publisher(settings.kafka, settings.alerting, PartitionWatermarks(clock), metrics),
        settings.worker,
        clock,
        metrics,
        health,
    )
    return worker, health


def _join(settings: Settings, topics: list[str], name: str) -> KafkaFeed:
    # kafka-python leaves a thread and sockets behind for each client that never reached a broker: ask first.
    wait_for_kafka(settings.kafka, timeout_s=_PROBE_S)
    return KafkaFeed(settings.kafka, settings.worker, topics, name)
