"""Builds a worker from the settings: the only module that knows all of its parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from elasticsearch import Elasticsearch
from msgspec.structs import asdict

from triage.clock import Clock, SystemClock
from triage.config import ElasticsearchSettings, KafkaSettings, Settings
from triage.elastic.author_keys import recorded_checks
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.inference.language import preload
from triage.inference.model import OnnxModel
from triage.inference.promotion_checks import require_person_label
from triage.inference.shadow import Shadow
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors, follow_erased_authors
from triage.pipeline.kafka.expired_records import ExpiredRecords
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.offset_check import CommittedOffsetVerifier
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.output_offsets import offset_queries
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.kafka.stall_detector import StallDetector
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.pipeline.lag_log import LagLog
from triage.pipeline.publisher import Publisher
from triage.pipeline.stages.base import Stage
from triage.pipeline.stages.crash_guard import CrashGuard
from triage.pipeline.stages.dead_letter_limit import DeadLetterLimit
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, EnrichStage, OwnIntents, Watcher
from triage.pipeline.stages.hot_swap import identities, reloader_of, warn_of_unknown_labels
from triage.pipeline.stages.in_flight_journal import InFlightJournal
from triage.pipeline.stages.index import IndexStage
from triage.pipeline.stages.model_metrics import runs_on, show_model
from triage.pipeline.stages.reload import Reloader
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.redaction.author_keys import key_checks, require_recorded_keys
from triage.retries.until_available import until_available
from triage.risk.model import read_models
from triage.rules import load_rules
from triage.runtime.health import Health
from triage.runtime.memory import return_freed_memory
from triage.runtime.watchdog import Watchdog
from triage.sinks.checked import index_sink
from triage.topics import require_topics, wait_for_kafka
from triage.topics.definitions import RAW_TOPICS
from triage.topics.follower import TopicFollower
from triage.translations import places_of
from triage.types import Channel, Model

log = get_logger("triage.worker")

_PROBE_TIMEOUT_S = 5.0
OUTPUT_TOPICS = ("enriched", "window-counts", "dead-letter", "forgotten")


def build_enricher(
    settings: Settings,
    clock: Clock,
    model: Model | None = None,
    metrics: Metrics | None = None,
    redactor: Redactor | None = None,
    watcher: Watcher | None = None,
    own_intents: OwnIntents | None = None,
) -> Enricher:
    """Build the enricher (model, redactor, rules) that the worker and `triage enrich` use.

    `model`, `redactor` and `metrics` replace those of the settings. `watcher` gets each batch of texts with its
    predictions, `own_intents` looks for the operator's intents. Raises ConfigError for invalid settings, rules, risk
    models or place names, ModelError for a model that cannot be loaded.
    """
    rules = load_rules(settings.rules.path)
    loaded = model or OnnxModel.load(settings.model, metrics)
    if isinstance(loaded, OnnxModel):
        require_person_label(loaded.manifest, settings)
        return_freed_memory()
    preload()
    redactor = redactor or Redactor(settings.redaction)
    risks = read_models(settings.risk.models, with_history=False)
    name = _region_name(settings)
    return Enricher(loaded, redactor, rules, settings.worker, clock, watcher, name, metrics, risks, own_intents)


def _region_name(settings: Settings) -> Callable[[str], str] | None:
    """Function that returns the one name of a place; None if regions stay as sources send them."""
    language = settings.worker.region_names
    if language == "as_sent":
        return None
    places = places_of(settings.alerting.places)
    return lambda region: places.name_in(region, language)


@dataclass(frozen=True)
class WorkerParts:
    """One worker, and the objects that run alongside it in its process, most of them on their own threads."""

    worker: Worker
    health: Health
    reloader: Reloader
    shadow: Shadow | None
    watchdog: Watchdog
    erased_authors: TopicFollower

    def close(self) -> None:
        """Stop the watchdog, the thread that follows erased authors, and the threads that run or load models."""
        self.watchdog.close()
        self.erased_authors.stop()
        self.reloader.close()
        if self.shadow:
            self.shadow.close()


def check_author_key(settings: Settings) -> None:
    """Log a warning if author ids are hashed with the public demo key; raise ConfigError if that is not allowed."""
    settings.require_own_author_key()
    if settings.redaction.uses_demo_key:
        log.warning("demo_author_key", fix="set redaction.author_key: anyone can compute these hashes of author ids")


def check_recorded_key(settings: Settings, recorded: Mapping[str, str]) -> None:
    """Compare the configured author keys with the check values in the index (`recorded`, by key version).

    Logs a warning if the index has no check value for the current key. Raises ConfigError if a key differs from the one
    that was recorded for its version.
    """
    redaction = settings.redaction
    require_recorded_keys(redaction, recorded)
    version = redaction.author_key_version
    if not redaction.uses_demo_key and recorded.get(version) != key_checks(redaction)[version]:
        fix = "run `triage index apply` with this key: a wrong one is noticed then"
        log.warning("author_key_not_recorded", version=version, fix=fix)


def build_worker(
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    model: Model | None = None,
    own_intents: OwnIntents | None = None,
) -> WorkerParts:
    """Build a worker that is ready to run: its model is loaded, Elasticsearch answers, the index is set up.

    If `model` is given, it is used and never replaced while the worker runs; `own_intents` looks for the operator's
    intents. Raises ConfigError for unsuitable settings, rules or topics, ModelError for a model that cannot be
    loaded, AccessDenied if a permission is missing, and Unavailable if Kafka or Elasticsearch does not answer within
    the start timeout.
    """
    check_author_key(settings)
    redactor = Redactor(settings.redaction)
    shadow = _shadow(settings, metrics, clock)
    loaded_identities = identities(settings, with_model=model is None)
    enricher = build_enricher(settings, clock, model, metrics, redactor, shadow.offer if shadow else None, own_intents)
    warn_of_unknown_labels(enricher.active.model, settings)
    show_model(metrics, enricher.active.model, enricher.versions, settings.model)
    dead_letter_factory = DeadLetterFactory(redactor, clock, metrics)
    client = connect(settings.elasticsearch)
    wait_until_ready(client, settings.elasticsearch, clock)
    raw = {RAW_TOPICS[Channel(name)]: Channel(name) for name in settings.worker.channels}
    require_topics(settings.kafka, [*raw, *OUTPUT_TOPICS])
    channels = {settings.kafka.topic(name): channel for name, channel in raw.items()}
    naming = index_naming(client, settings.elasticsearch, clock)
    elastic = settings.elasticsearch
    check_recorded_key(
        settings, until_available(lambda _: recorded_checks(client, elastic), clock, elastic.start_timeout_s)
    )
    options = settings.worker
    name = f"{options.fleet}-{options.slot}"
    journal = InFlightJournal(options.data_dir / f"{name}.journal")
    erased_authors = ErasedAuthors(redactor)
    follower = follow_erased_authors(settings.kafka, erased_authors)
    guarded_stages: list[Stage] = [
        DecodeStage(options, channels, dead_letter_factory, clock, metrics, erased_authors),
        EnrichStage(enricher, metrics),
    ]
    about = {"worker": name, "versions": asdict(enricher.versions), "runs_on": runs_on(enricher.active.model)}
    health = Health(clock, about, stuck_after_s=options.stuck_after_s)
    reloader = reloader_of(settings, enricher, loaded_identities, clock, metrics, health)
    verifier = CommittedOffsetVerifier(
        offset_queries(settings.kafka, options.group), clock, SystemClock(), options.offset_patience_s
    )
    source = partial(
        KafkaSource,
        settings.kafka,
        options,
        sorted(channels),
        MemberIdentity(name, clock),
        StallDetector(clock),
        verifier,
        health.beat,
        UnreadablePartitions(clock, metrics, health),
        ExpiredRecords(metrics),
        OpenTransactions(clock, metrics, health),
    )
    worker = Worker(
        lambda: _connect(settings.kafka, source),
        [reloader, CrashGuard(journal, guarded_stages, dead_letter_factory, options.crash_attempts, clock, metrics)],
        [
            IndexStage(
                index_sink(client, settings.elasticsearch), naming, dead_letter_factory, metrics, erased_authors
            ),
            DeadLetterLimit(options, options.data_dir / f"{name}.dead-letters"),
        ],
        Publisher(
            settings.kafka,
            settings.alerting,
            PartitionWatermarks(clock),
            metrics,
            erased_authors=erased_authors,
            sources_with_updates=options.sources_with_updates,
            lag_log=LagLog(options.lag_warning),
        ),
        settings.worker,
        clock,
        metrics,
        health,
    )
    follower.start_and_wait(settings.kafka.start_timeout_s)
    if shadow:
        shadow.start()
    watchdog = Watchdog(health, clock, options.stuck_after_s, options.stuck_exit_s)
    return WorkerParts(worker, health, reloader, shadow, watchdog, follower)


def index_naming(client: Elasticsearch, settings: ElasticsearchSettings, clock: Clock) -> IndexNaming:
    """Return the naming scheme of the Elasticsearch indices, read from the cluster.

    A cluster that has just become ready may refuse the next request, so it is retried for `start_timeout_s`; then
    Unavailable is raised. ConfigError (no template of `triage index apply`) and AccessDenied are raised at once.
    """
    return until_available(
        lambda _: IndexNaming(settings.index_prefix, read_daily_from(client, settings)),
        clock,
        settings.start_timeout_s,
    )


def _shadow(settings: Settings, metrics: Metrics, clock: Clock) -> Shadow | None:
    if settings.model.shadow is None:
        return None
    # One thread, so that the model computes on the shadow's own thread of low priority.
    alone = settings.model.model_copy(update={"path": settings.model.shadow, "threads": 1})
    return Shadow(
        lambda: OnnxModel.load(alone), settings.model.shadow_share, settings.model.shadow_max_texts, metrics, clock
    )


def _connect(settings: KafkaSettings, make: Callable[[], KafkaSource]) -> KafkaSource:
    # The probe fails soon and with a reason; kafka-python's own bootstrap takes longer and hides why.
    wait_for_kafka(settings, timeout_s=_PROBE_TIMEOUT_S)
    return make()
