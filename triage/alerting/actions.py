"""`feedback.alert-actions`: what people do with alerts, written by commands and the console, read by every alerter."""

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from triage.alerting.silences import Silences
from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import NotUnderstood, Unavailable
from triage.logging import get_logger
from triage.schemas.action import Acknowledge, Action, Matcher, Silence, Snooze
from triage.schemas.message import MessageDecoder

log = get_logger("triage.alerter")

TOPIC = "alert-actions"
LONGEST_S = 30 * 86_400
_RETRY_S = 2.0
_PAUSE_S = 0.25
_STOP_S = 3
_BOOTSTRAP_MS = 2_000
_SEND_S = 15
_Kind = TypeVar("_Kind", Acknowledge, Snooze, Silence)


class ActionBook:
    """The actions known so far: silences, and the last one on each alert."""

    def __init__(self) -> None:
        self.silences = Silences()
        self._on_alerts: dict[str, Acknowledge | Snooze] = {}

    def put(self, action: Action) -> None:
        if isinstance(action, Silence):
            self.silences.put(action)
        else:
            known = self._on_alerts.get(action.dedup_key)
            if known is None or known.at_ms <= action.at_ms:
                self._on_alerts[action.dedup_key] = action

    def on_alerts(self) -> list[Acknowledge | Snooze]:
        return list(self._on_alerts.values())


class ActionReader:
    """A thread that reads the topic from its beginning and then follows it; while Kafka is away it tries again.

    `took(action)` is called on that thread. `caught_up` is set when all that was there at the start has been read.
    """

    def __init__(self, kafka: KafkaSettings, took: Callable[[Action], None]) -> None:
        self._kafka = kafka
        self._topic = kafka.topic(TOPIC)
        self._took = took
        self._decoder: MessageDecoder[Action] = MessageDecoder(Action)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alert-actions", daemon=True)
        self.caught_up = threading.Event()

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if reachable(self._kafka):
                    self._follow()
            except KafkaError as error:
                log.warning("actions_not_readable", topic=self._topic, error=str(error))
            except Exception:
                # Else nobody would hear of actions any more.
                log.exception("actions_reader_failed", topic=self._topic)
            self._stop.wait(_RETRY_S)

    def _follow(self) -> None:
        consumer = KafkaConsumer(
            **self._kafka.client(),
            client_id="triage-alert-actions",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            bootstrap_timeout_ms=_BOOTSTRAP_MS,
        )
        try:
            numbers = consumer.partitions_for_topic(self._topic)
            if not numbers:
                return
            partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
            ends = consumer.end_offsets(partitions)
            consumer.assign(partitions)
            # Pausing between polls, not in them: the local stack answers empty fetches at once, which would spin.
            pause_s = 0.0
            while not self._stop.wait(pause_s):
                for records in consumer.poll(timeout_ms=0, max_records=5_000).values():
                    for record in records:
                        self._take(record.value)
                if all(consumer.position(partition) >= end for partition, end in ends.items()):
                    self.caught_up.set()
                    pause_s = _PAUSE_S
                else:
                    pause_s = 0.02
        finally:
            consumer.close(autocommit=False)

    def _take(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            action = self._decoder.decode(value)
        except NotUnderstood as error:
            log.warning("action_not_understood", error=str(error))
            return
        self._took(action)


class ActionWriter:
    """Sends actions; `close` it. Each call returns the action once the brokers have it, or raises Unavailable."""

    def __init__(self, kafka: KafkaSettings, clock: Clock) -> None:
        self._kafka = kafka
        self._topic = kafka.topic(TOPIC)
        self._clock = clock
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()

    def acknowledge(self, dedup_key: str, actor: str, comment: str = "") -> Acknowledge:
        return self._send(
            Acknowledge(id=_new_id(), actor=actor, at_ms=self._clock.now_ms(), dedup_key=dedup_key, comment=comment)
        )

    def snooze(self, dedup_key: str, actor: str, for_s: int, comment: str = "") -> Snooze:
        now_ms = self._clock.now_ms()
        until_ms = now_ms + for_s * 1000
        return self._send(
            Snooze(id=_new_id(), actor=actor, at_ms=now_ms, dedup_key=dedup_key, until_ms=until_ms, comment=comment)
        )

    def silence(self, matchers: Iterable[Matcher], actor: str, for_s: int, comment: str = "") -> Silence:
        now_ms = self._clock.now_ms()
        until_ms = now_ms + for_s * 1000
        return self._send(
            Silence(
                id=_new_id(), actor=actor, at_ms=now_ms, matchers=list(matchers), until_ms=until_ms, comment=comment
            )
        )

    def expire(self, silence: Silence, actor: str) -> Silence:
        """End a silence now."""
        now_ms = self._clock.now_ms()
        return self._send(msgspec.structs.replace(silence, at_ms=now_ms, until_ms=now_ms, actor=actor))

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=_STOP_S)

    def _send(self, action: _Kind) -> _Kind:
        try:
            with self._lock:
                if self._producer is None:
                    # kafka-python leaves a thread behind for each client that never reached a broker: ask first.
                    if not reachable(self._kafka):
                        raise Unavailable("kafka", f"no broker at {self._kafka.bootstrap_servers} answers")
                    self._producer = KafkaProducer(**self._kafka.client(), acks="all", max_block_ms=_SEND_S * 1000)
            future = self._producer.send(self._topic, key=action.key.encode(), value=msgspec.json.encode(action))
            future.get(timeout=_SEND_S)
        except KafkaError as error:
            raise Unavailable("kafka", f"the action was not taken: {error}") from error
        return action


def read_actions(kafka: KafkaSettings, timeout_s: float = 15.0) -> ActionBook:
    """All actions there are now. Raises Unavailable."""
    book = ActionBook()
    reader = ActionReader(kafka, book.put)
    reader.start()
    try:
        if not reader.caught_up.wait(timeout_s):
            raise Unavailable("kafka", f"{kafka.topic(TOPIC)} could not be read within {timeout_s:g} s")
    finally:
        reader.stop()
    return book


def reachable(kafka: KafkaSettings) -> bool:
    """A client that finds no broker leaves an I/O thread behind (kafka-python 3.0), so look before making one."""
    for server in kafka.client()["bootstrap_servers"]:
        host, _, port = server.rpartition(":")
        with contextlib.suppress(OSError, ValueError), socket.create_connection((host.strip("[]"), int(port)), 1):
            return True
    return False


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
