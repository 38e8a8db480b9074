"""Actions of people on alerts: acknowledgements, snoozes, silences, assessments, in the topic `feedback.alert-actions`.

Commands and the console write them; every alerter reads all of them.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from kafka import KafkaProducer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from triage.alerting.lifecycle.assessments import Assessments, Verdict
from triage.alerting.lifecycle.comments import Comments
from triage.alerting.lifecycle.silences import Silences
from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.schemas.action import (
    Acknowledge,
    Action,
    Assign,
    Comment,
    EpisodeAction,
    Judge,
    Matcher,
    Resolve,
    Silence,
    Snooze,
    Unacknowledge,
)
from triage.schemas.message import MessageDecoder
from triage.topics.connect import translate, wait_for_kafka
from triage.topics.follower import TopicFollower
from triage.topics.kafka_compat import closing_on_failure
from triage.topics.scan import TopicScan, log_unreadable

log = get_logger("triage.alerter")

TOPIC = "alert-actions"
LONGEST_S = 30 * 86_400
_STOP_S = 3
_PROBE_S = 2
_REQUEST_S = 10
_SEND_S = 15
_Kind = TypeVar("_Kind", Acknowledge, Unacknowledge, Snooze, Assign, Comment, Resolve, Silence, Judge)


@dataclass(frozen=True, slots=True)
class UsedLink:
    """The action link of a notification that a user opened: its id, and the receiver that got the notification."""

    id: str
    receiver: str


class ActionBook:
    """All users' actions on alerts, in memory: silences, assessments, comments and others.

    Of each alert, the latest assessment and the latest of the other actions of each kind are kept.
    """

    def __init__(self) -> None:
        self.silences = Silences()
        self.assessments = Assessments()
        self.comments = Comments()
        self._on_alerts: dict[str, EpisodeAction] = {}
        # By the id of a link, the action for which it was used.
        self._by_link: dict[str, Action] = {}

    def put(self, action: Action) -> None:
        if action.via:
            self._by_link[action.id] = action
        if isinstance(action, Silence):
            self.silences.put(action)
        elif isinstance(action, Judge):
            self.assessments.put(action)
        elif isinstance(action, Comment):
            self.comments.put(action)
        else:
            name = f"{type(action).__name__}/{action.dedup_key}"
            known = self._on_alerts.get(name)
            if known is None or known.at_ms <= action.at_ms:
                self._on_alerts[name] = action

    def on_alerts(self) -> list[EpisodeAction]:
        """Kept actions on alerts (acknowledge, snooze, assign, comment, resolve), oldest first."""
        return sorted([*self._on_alerts.values(), *self.comments], key=lambda action: action.at_ms)

    def used(self, link: str) -> Action | None:
        """Return the action that was triggered through the link with this id; None if the link has not been used."""
        return self._by_link.get(link)


def follow_actions(kafka: KafkaSettings, on_action: Callable[[Action], None]) -> TopicFollower:
    """Create a reader of the actions topic: it reads all stored actions and then new ones. Call `start` to begin.

    `on_action` is called once per action, on the reader's thread. A batch that can't be read is logged and left out:
    without the actions in it more is paged, and without the later ones nobody could silence anything.
    """
    decoder = MessageDecoder[Action](Action)

    def take(records: list[ConsumerRecord]) -> None:
        for action in _actions(decoder, records):
            on_action(action)

    return TopicFollower(kafka, TOPIC, take, unreadable=log_unreadable)


class ActionWriter:
    """Writes users' actions to their topic. Each call returns the action once the brokers have stored it.

    Call `close` at the end. Every call raises a TriageError if Kafka does not answer or does not accept the action.
    """

    def __init__(self, kafka: KafkaSettings, clock: Clock) -> None:
        self._kafka = kafka
        self._topic = kafka.topic(TOPIC)
        self._clock = clock
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()

    def acknowledge(self, dedup_key: str, actor: str, comment: str = "", link: UsedLink | None = None) -> Acknowledge:
        return self._send(Acknowledge(**self._on(dedup_key, actor, comment, link)))

    def unacknowledge(self, dedup_key: str, actor: str, comment: str = "") -> Unacknowledge:
        return self._send(Unacknowledge(**self._on(dedup_key, actor, comment)))

    def snooze(self, dedup_key: str, actor: str, for_s: int, comment: str = "", link: UsedLink | None = None) -> Snooze:
        fields = self._on(dedup_key, actor, comment, link)
        return self._send(Snooze(**fields, until_ms=fields["at_ms"] + for_s * 1000))

    def assign(self, dedup_key: str, actor: str, to: str, comment: str = "") -> Assign:
        return self._send(Assign(**self._on(dedup_key, actor, comment), to=to))

    def comment(self, dedup_key: str, actor: str, comment: str) -> Comment:
        return self._send(Comment(**self._on(dedup_key, actor, comment)))

    def resolve(self, dedup_key: str, actor: str, comment: str = "") -> Resolve:
        return self._send(Resolve(**self._on(dedup_key, actor, comment)))

    def silence(
        self,
        matchers: Iterable[Matcher],
        actor: str,
        for_s: int,
        comment: str = "",
        link: UsedLink | None = None,
    ) -> Silence:
        fields = self._by(actor, comment, link)
        return self._send(Silence(**fields, matchers=list(matchers), until_ms=fields["at_ms"] + for_s * 1000))

    def expire(self, silence: Silence, actor: str) -> Silence:
        """End a silence now: store a new version of it with the current time as its end, and return that version."""
        now_ms = self._clock.now_ms()
        return self._send(msgspec.structs.replace(silence, at_ms=now_ms, until_ms=now_ms, actor=actor))

    def judge(
        self, dedup_key: str, actor: str, verdict: Verdict, comment: str = "", link: UsedLink | None = None
    ) -> Judge:
        return self._send(Judge(**self._on(dedup_key, actor, comment, link), verdict=verdict))

    def close(self) -> None:
        with self._lock:
            self._close_producer()

    def _on(self, dedup_key: str, actor: str, comment: str, link: UsedLink | None = None) -> dict[str, Any]:
        return {"dedup_key": dedup_key, **self._by(actor, comment, link)}

    def _by(self, actor: str, comment: str, link: UsedLink | None) -> dict[str, Any]:
        fields = {"actor": actor, "at_ms": self._clock.now_ms(), "comment": comment}
        return fields | ({"id": _new_id()} if link is None else {"id": link.id, "via": link.receiver})

    def _send(self, action: _Kind) -> _Kind:
        try:
            with self._lock:
                producer = self._open_producer()
            future = producer.send(self._topic, key=action.key.encode(), value=msgspec.json.encode(action))
            future.get(timeout=_SEND_S)
        except KafkaError as error:
            # An idempotent producer repeats its first fatal error for ever, also after the missing right was granted.
            with self._lock:
                self._close_producer()
            raise translate(error, doing="Kafka has not confirmed the action") from error
        return action

    def _open_producer(self) -> KafkaProducer:
        if self._producer is None:
            wait_for_kafka(self._kafka, timeout_s=_PROBE_S)
            with closing_on_failure() as client:
                self._producer = KafkaProducer(
                    **self._kafka.client(),
                    kafka_client=client,
                    acks="all",
                    max_block_ms=_SEND_S * 1000,
                    request_timeout_ms=_REQUEST_S * 1000,
                    # An action that was given up must not be delivered later: the user will have tried again.
                    delivery_timeout_ms=_SEND_S * 1000,
                )
        return self._producer

    def _close_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=_STOP_S)


def read_actions(kafka: KafkaSettings) -> ActionBook:
    """Read all actions of people on alerts (acknowledge, snooze, silence, assess) from their topic.

    Raises ConfigError if the topic is missing, Unavailable or AccessDenied if Kafka can't be read.
    """
    book, decoder = ActionBook(), MessageDecoder[Action](Action)
    with TopicScan(kafka, "triage-alert-actions", unreadable=log_unreadable) as scan:
        for records in scan.read(scan.ranges(scan.existing_partitions(TOPIC))):
            for action in _actions(decoder, records):
                book.put(action)
    return book


def _actions(decoder: MessageDecoder[Action], records: Iterable[ConsumerRecord]) -> Iterator[Action]:
    for record in records:
        if record.value is None:
            continue
        try:
            yield decoder.decode(record.value)
        except NotUnderstood as error:
            log.warning("action_not_understood", error=str(error))


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
