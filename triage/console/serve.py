"""Runs the console until SIGINT or SIGTERM."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from elasticsearch import Elasticsearch

from triage.alerting.app.actions import ActionBook, ActionWriter, follow_actions
from triage.alerting.precision.report import RuleReport
from triage.assist.conversations.assemble import build_conversations, build_taker
from triage.assist.conversations.elastic_store import ElasticStore
from triage.assist.conversations.reloading import PlaybookReload
from triage.assist.playbooks.loader import folder_identity
from triage.clock import MINUTE_MS, Clock, SystemClock
from triage.config import Settings
from triage.console.app import build_app
from triage.console.changes.measure import top_movers
from triage.console.data.conversation_desk import ConversationDesk
from triage.console.data.dead_letters import DeadLetters
from triage.console.data.evidence import LocalEvidence
from triage.console.data.explainer import LocalExplainer
from triage.console.data.shared_readings import SharedReading, SharedSnapshot
from triage.console.data.snapshot_reader import SnapshotReader
from triage.console.dependencies import Dependencies
from triage.console.rules.reading import RuleReader
from triage.elastic.client import connect
from triage.elastic.errors import translated
from triage.elastic.search import find_alert
from triage.fleet import FleetMonitor
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.redaction import Redactor
from triage.runtime.health import Health
from triage.runtime.watchdog import Watchdog
from triage.schemas.action import Action
from triage.topics.follower import TopicFollower
from triage.translations import places_of
from triage.web.health import WebHealth
from triage.web.server import check_reach, health_listener, listen, run, url_of

log = get_logger("triage.console")

_QUERY_TIMEOUT_S = 10.0
_MOVERS_EVERY_S = 10.0
_FLEET_EVERY_S = 2.5
_FLEET_WAIT_S = 4.0


def serve(settings: Settings) -> None:
    """Serve pages, health and metrics on `console.host:port` until SIGINT or SIGTERM.

    The console starts and keeps running without Elasticsearch or Kafka. Raises ConfigError for invalid settings.
    """
    check_reach(settings.console, "console")
    places_of(settings.alerting.places)
    with ExitStack() as resources:
        dependencies = _dependencies(settings, resources)

        def ping() -> None:
            with translated():
                dependencies.client.cluster.health()

        clock, limits = SystemClock(), settings.worker
        beats = Health(clock, stuck_after_s=limits.stuck_after_s)
        health = WebHealth(ping, beats)
        app = build_app(dependencies, health, lambda key: find_alert(dependencies.client, settings.elasticsearch, key))
        listening = listen(settings.console, "console")
        with (
            health_listener(settings.console, "console", health, dependencies.metrics),
            Watchdog(beats, clock, limits.stuck_after_s, limits.stuck_exit_s),
        ):
            log.info("console_started", url=url_of(listening, settings.console), login=settings.console.login)
            run(app, listening, settings.console, beats.beat)
    log.info("console_stopped")


@dataclass(frozen=True, slots=True)
class _UsedLinks:
    """The links that were used, as the reader of the topic of actions knows them."""

    book: ActionBook
    reader: TopicFollower

    def used(self, link: str) -> Action | None:
        return self.book.used(link)

    def ready(self) -> bool:
        return self.reader.caught_up.is_set()


def _dependencies(settings: Settings, resources: ExitStack) -> Dependencies:
    """Build the services that the pages use; clients and threads among them are closed by `resources`."""
    clock = settings.clock.build()
    metrics = Metrics()
    timeout_s = min(_QUERY_TIMEOUT_S, settings.elasticsearch.request_timeout_s)
    client = connect(settings.elasticsearch).options(request_timeout=timeout_s)
    resources.callback(client.close)
    dead_letters = DeadLetters(settings.kafka)
    dead_letters.follower.start()
    resources.callback(dead_letters.follower.stop)
    book = ActionBook()
    follower = follow_actions(settings.kafka, book.put)
    follower.start()
    resources.callback(follower.stop)
    actions = ActionWriter(settings.kafka, clock)
    resources.callback(actions.close)
    monitor = FleetMonitor(settings)
    resources.callback(monitor.close)
    simulated = settings.clock.origin is not None
    read = SnapshotReader(
        client, settings.elasticsearch, clock, metrics, lambda: dead_letters.total, simulated=simulated
    )

    def last_minute() -> int:
        return clock.now_ms() // MINUTE_MS * MINUTE_MS

    reader = RuleReader(settings, client, clock, book.assessments)
    fleet = SharedReading(monitor.look, clock, _FLEET_EVERY_S)

    async def rules() -> list[RuleReport]:
        view = await fleet.within(_FLEET_WAIT_S)
        return await asyncio.to_thread(reader.read, view.value)

    return Dependencies(
        settings=settings,
        client=client,
        clock=clock,
        metrics=metrics,
        now=SharedSnapshot(read, clock, simulated=simulated),
        movers=SharedReading(lambda: top_movers(client, settings.elasticsearch, last_minute()), clock, _MOVERS_EVERY_S),
        fleet=fleet,
        dead_letters=dead_letters,
        explainer=LocalExplainer(settings),
        silences=book.silences.all,
        actions=actions,
        rules=rules,
        used_links=_UsedLinks(book, follower),
        conversations=_desk(settings, client, clock, metrics),
        evidence=LocalEvidence(settings, client, clock),
    )


def _desk(settings: Settings, client: Elasticsearch, clock: Clock, metrics: Metrics) -> ConversationDesk:
    """Conversations in Elasticsearch, as the API keeps them. Raises ConfigError for a mistake in the playbooks."""
    redactor = Redactor(settings.redaction)
    store = ElasticStore(client, settings.elasticsearch)
    options = settings.conversations
    seen, build = folder_identity(options.playbooks), partial(build_taker, options)
    found = build_conversations(settings, store, build(), redactor, clock, metrics)
    playbooks = PlaybookReload(found, partial(folder_identity, options.playbooks), build, seen)
    return ConversationDesk(found, redactor, options.max_text_chars, playbooks)
