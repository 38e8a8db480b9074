"""Runs the HTTP API until a signal stops it."""

import socket
from functools import partial

from elasticsearch import Elasticsearch
from msgspec.structs import asdict

from triage import tracing
from triage.assist.answers.assemble import build_answerer, usable_encoder
from triage.assist.cases.indexer import CaseIndexer, follow_resolutions
from triage.assist.cases.sender import ResolutionSender
from triage.assist.cases.similar import CaseFinder
from triage.assist.conversations.answers import HttpWebhooks
from triage.assist.conversations.assemble import build_conversations, build_taker
from triage.assist.conversations.elastic_store import ElasticStore
from triage.assist.conversations.knowledge import QuotedKnowledge, text_of_conversation
from triage.assist.conversations.rephrasing import EndpointRephraser
from triage.assist.conversations.service import Conversations
from triage.assist.conversations.turns import TurnTaker
from triage.assist.guide.adviser import Adviser
from triage.assist.guide.assemble import build_adviser
from triage.assist.guide.conversation import GuidedConversation
from triage.assist.own_intents.matching import build_matcher
from triage.assist.playbooks.loader import folder_identity
from triage.clock import Clock
from triage.config import Settings
from triage.elastic.client import connect
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.assemble import build_enricher, check_author_key
from triage.pipeline.batch import Batch
from triage.pipeline.stages.hot_swap import identities, reloader_of
from triage.pipeline.stages.model_metrics import show_model
from triage.pipeline.stages.reload import Replaceable
from triage.redaction import Redactor
from triage.runtime.health import Health
from triage.runtime.watchdog import Watchdog
from triage.serving.answers import AnswerService
from triage.serving.app import build_app
from triage.serving.batcher import MicroBatcher
from triage.serving.conversations import ConversationService, playbooks_replaceable
from triage.serving.sender import Sender
from triage.serving.service import Service
from triage.serving.turns import follow_turns
from triage.web.health import WebHealth
from triage.web.server import check_reach, health_listener, listen, run, url_of

log = get_logger("triage.api")


def serve(settings: Settings) -> None:
    """Serve the API on `api.host:port` until SIGINT or SIGTERM.

    It starts, and enriches, even while Kafka or Elasticsearch is unavailable. Raises ConfigError for invalid settings
    or rules, ModelError for a model that cannot be loaded.
    """
    check_reach(settings.api, "api")
    check_author_key(settings)
    stop_tracing = tracing.start(settings.tracing, "api")
    clock, metrics = settings.clock.build(), Metrics()
    seen = identities(settings)
    enricher = build_enricher(
        settings, clock, metrics=metrics, own_intents=build_matcher(settings) if settings.intents.enrich else None
    )
    show_model(metrics, enricher.active.model, enricher.versions, settings.model)
    about = {"api": socket.gethostname(), "versions": asdict(enricher.versions)}
    health = Health(clock, about, stuck_after_s=settings.worker.stuck_after_s)
    metrics.seconds_since_progress.set_function(lambda: health.standing_still()[1])
    elasticsearch = connect(settings.elasticsearch)
    encoder = usable_encoder(settings)
    find_cases = CaseFinder(elasticsearch, settings.elasticsearch, encoder).find
    answerer = build_answerer(settings, elasticsearch, clock, encoder, find_cases=find_cases)
    endpoint = settings.assist.endpoint
    rephraser = EndpointRephraser(endpoint, metrics) if endpoint.url is not None else None
    knowledge = QuotedKnowledge(answerer, rephraser)
    adviser = build_adviser(settings, elasticsearch, clock, encoder)
    conversations, webhooks, replaceable = _conversations(settings, elasticsearch, clock, metrics, knowledge, adviser)
    reloader = reloader_of(settings, enricher, seen, clock, metrics, health, [replaceable])

    def between() -> None:
        health.beat()
        reloader.process(Batch())

    batcher = MicroBatcher(
        enricher.enrich,
        metrics,
        batch_records=settings.api.batch_records,
        wait_s=settings.api.batch_wait_ms / 1000,
        queue_records=settings.api.queue_records,
        between=between,
        health=health,
    )
    sender = Sender(settings.kafka, settings.api.remember_sent)
    service = Service(settings, enricher, batcher, sender, elasticsearch, clock)
    of_api = ConversationService(conversations, batcher, clock, metrics, settings.api.enrich_timeout_s)
    redactor = Redactor(settings.redaction)
    resolutions = ResolutionSender(settings.kafka, redactor, settings.worker.zone_of)
    indexer = CaseIndexer(elasticsearch, settings.elasticsearch, redactor, encoder)
    followers = [follow_resolutions(settings.kafka, indexer)] if settings.assist.index_cases else []
    followers += [follow_turns(settings, of_api, redactor, clock, metrics)] if settings.conversations.topic else []
    answers = AnswerService(
        answerer,
        elasticsearch,
        settings.elasticsearch,
        metrics,
        redactor,
        clock,
        partial(text_of_conversation, conversations.store),
        encoder,
    )
    app = build_app(
        service,
        settings.api,
        metrics,
        health,
        conversations=of_api,
        answers=answers,
        resolutions=resolutions,
        guide=adviser.advise if adviser is not None else None,
    )
    listening = listen(settings.api, "api")
    try:
        with (
            health_listener(settings.api, "api", WebHealth(lambda: None, health), metrics),
            Watchdog(health, clock, settings.worker.stuck_after_s, settings.worker.stuck_exit_s),
        ):
            for follower in followers:
                follower.start()
            log.info("api_started", url=url_of(listening, settings.api), login=settings.api.login)
            health.beat()
            run(app, listening, settings.api, health.beat)
    finally:
        reloader.close()
        for follower in followers:
            follower.stop()
        for each in (resolutions, sender, webhooks, rephraser, elasticsearch):
            if each is not None:
                each.close()
        stop_tracing()
    log.info("api_stopped")


def _conversations(
    settings: Settings,
    elasticsearch: Elasticsearch,
    clock: Clock,
    metrics: Metrics,
    knowledge: QuotedKnowledge,
    adviser: Adviser | None,
) -> tuple[Conversations, HttpWebhooks, Replaceable]:
    """Conversations in Elasticsearch, the webhooks of their playbooks, and how the playbooks are reloaded."""
    options = settings.conversations
    seen = folder_identity(options.playbooks)
    webhooks = HttpWebhooks(options.webhooks)
    guide = GuidedConversation(adviser) if adviser is not None else None

    def build() -> TurnTaker:
        return build_taker(options, webhooks, knowledge, guide=guide)

    store = ElasticStore(elasticsearch, settings.elasticsearch)
    made = build_conversations(settings, store, build(), Redactor(settings.redaction), clock, metrics)
    return made, webhooks, playbooks_replaceable(made, lambda: folder_identity(options.playbooks), build, seen)
