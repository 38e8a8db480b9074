"""Builds what answers the topic of turns: its consumer, its answers, and the list of erased authors."""

import socket
from functools import partial

from triage.clock import Clock, SystemClock
from triage.config import Settings
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.pipeline.erasure.tombstones import ErasedAuthors, follow_erased_authors
from triage.pipeline.kafka.expired_records import ExpiredRecords
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.open_transactions import OpenTransactions
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.kafka.unreadable_partitions import UnreadablePartitions
from triage.redaction import Redactor
from triage.serving.conversations import ConversationService
from triage.serving.turn_answers import TurnAnswers
from triage.serving.turn_topic import TurnFollower
from triage.topics import require_topics
from triage.topics.definitions import ANSWERED_TURNS, TURNS
from triage.topics.follower import TopicFollower


def follow_turns(
    settings: Settings, service: ConversationService, redactor: Redactor, clock: Clock, metrics: Metrics
) -> TopicFollower:
    """Let the service answer the topic `turns`, from the committed offsets on, or from the topic's start without them.

    Returns the follower of erased authors, not started yet; the caller starts and stops it. Several processes share the
    partitions: each has a name of its own, from its host and port, so that a restarted one gets its partitions back.
    """
    authors = ErasedAuthors(redactor)
    erasures = follow_erased_authors(settings.kafka, authors)
    name = f"{settings.worker.fleet}-turns-{socket.gethostname()}-{settings.api.port}"
    topic = settings.kafka.topic(TURNS)
    member = settings.worker.model_copy(update={"group": topic})
    real = SystemClock()
    connect = partial(
        KafkaSource,
        settings.kafka,
        member,
        [topic],
        MemberIdentity(name, clock),
        unreadable=UnreadablePartitions(real, metrics),
        expired=ExpiredRecords(metrics),
        open_transactions=OpenTransactions(real, metrics),
    )

    def connected() -> KafkaSource:
        require_topics(settings.kafka, [TURNS, ANSWERED_TURNS])
        # Without the list a turn of an erased author would be taken again.
        erasures.check()
        if not erasures.caught_up.wait(settings.kafka.start_timeout_s):
            raise Unavailable("kafka", "the list of erased authors could not be read")
        return connect()

    def erased(source: str | None, author: str, written_ms: int) -> bool:
        return len(authors) > 0 and authors.contains(redactor.author_hashes(source, author), written_ms)

    answers = TurnAnswers(service, settings.kafka.topic(ANSWERED_TURNS), metrics, erased)
    service.follow(TurnFollower(connected, answers.answer))
    return erasures
