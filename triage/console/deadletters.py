"""Counts dead letters by reading their topic: they are not in Elasticsearch, and offsets count markers too."""

import contextlib
import socket
import threading
from collections import Counter

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from triage.config import KafkaSettings
from triage.logging import get_logger
from triage.schemas.deadletter import DeadLetter

log = get_logger("triage.console")

_RETRY_S = 2.0
_PAUSE_S = 0.5
_MAX_RECORDS = 5_000
_BOOTSTRAP_MS = 2_000
_STOP_S = 3


class DeadLetterCount:
    """A thread that reads the topic from its start and then follows it; while Kafka is away it tries again."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topic = kafka.topic("dead-letter")
        self._decoder = msgspec.json.Decoder(DeadLetter)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-letter-count", daemon=True)
        self._reasons: Counter[str] = Counter()
        self._known = False

    @property
    def total(self) -> int | None:
        """None until Kafka has answered once."""
        return self._reasons.total() if self._known else None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=_STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._reachable():
                    self._follow()
            except KafkaError as error:
                log.warning("dead_letters_not_readable", topic=self._topic, error=str(error))
            self._stop.wait(_RETRY_S)

    def _reachable(self) -> bool:
        """A consumer that finds no broker leaves an I/O thread behind (kafka-python 3.0), so look before making one."""
        for server in self._kafka.client()["bootstrap_servers"]:
            host, _, port = server.rpartition(":")
            with contextlib.suppress(OSError, ValueError), socket.create_connection((host.strip("[]"), int(port)), 1):
                return True
        return False

    def _follow(self) -> None:
        consumer = KafkaConsumer(
            **self._kafka.client(),
            client_id="triage-console",
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            bootstrap_timeout_ms=_BOOTSTRAP_MS,
        )
        try:
            partitions = consumer.partitions_for_topic(self._topic)
            if not partitions:
                return
            consumer.assign([TopicPartition(self._topic, number) for number in sorted(partitions)])
            self._reasons = Counter()
            # Pausing between polls, not in them: the local stack answers empty fetches at once, which would spin.
            while not self._stop.wait(_PAUSE_S):
                for records in consumer.poll(timeout_ms=0, max_records=_MAX_RECORDS).values():
                    self._reasons.update(self._reason(record.value) for record in records if record.value)
                self._known = True
        finally:
            consumer.close(autocommit=False)

    def _reason(self, value: bytes) -> str:
        try:
            return self._decoder.decode(value).reason
        except msgspec.MsgspecError:
            return "not_understood"
