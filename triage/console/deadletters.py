"""Dead letters as their topic tells: they are not in Elasticsearch, and offsets count markers too."""

import threading
from collections import Counter, OrderedDict

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from triage.alerting.actions import reachable
from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.schemas.deadletter import DeadLetter
from triage.schemas.message import MessageDecoder

log = get_logger("triage.console")

_RETRY_S = 2.0
_PAUSE_S = 0.5
_MAX_RECORDS = 5_000
_BOOTSTRAP_MS = 2_000
_STOP_S = 3
_KEPT = 200


class DeadLetters:
    """A thread that reads the topic from its start and then follows it; while Kafka is away it tries again.

    Of every record the last word counts: one that was replayed, or erased, is no dead letter any more. Whole letters
    are kept of the last 200 alone.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._topic = kafka.topic("dead-letter")
        self._decoder: MessageDecoder[DeadLetter] = MessageDecoder(DeadLetter)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-letters", daemon=True)
        self._lock = threading.Lock()
        self._reason_of: dict[str, str] = {}
        self._letters: OrderedDict[str, DeadLetter] = OrderedDict()
        self._known = False

    @property
    def total(self) -> int | None:
        """None until Kafka has answered once."""
        return len(self._reason_of) if self._known else None

    def by_reason(self) -> dict[str, int]:
        """How many there are for each reason, most first."""
        with self._lock:
            return dict(Counter(self._reason_of.values()).most_common())

    def latest(self, size: int) -> list[DeadLetter]:
        """The last ones, newest first."""
        with self._lock:
            return list(reversed(self._letters.values()))[:size]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=_STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if reachable(self._kafka):
                    self._follow()
            except KafkaError as error:
                log.warning("dead_letters_not_readable", topic=self._topic, error=str(error))
            except Exception:
                # Else the page would stand still, and nobody would know.
                log.exception("dead_letters_reader_failed", topic=self._topic)
            self._stop.wait(_RETRY_S)

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
            with self._lock:
                self._reason_of, self._letters = {}, OrderedDict()
            # Pausing between polls, not in them: the local stack answers empty fetches at once, which would spin.
            while not self._stop.wait(_PAUSE_S):
                for records in consumer.poll(timeout_ms=0, max_records=_MAX_RECORDS).values():
                    with self._lock:
                        for record in records:
                            self._take(record.key, record.value)
                self._known = True
        finally:
            consumer.close(autocommit=False)

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        name = (key or b"").decode("utf-8", "replace")
        try:
            letter = None if value is None else self._decoder.decode(value)
        except NotUnderstood:
            self._reason_of[name] = "not_understood"
            return
        if letter is None or letter.replayed_at:
            name = letter.key if letter else name
            self._reason_of.pop(name, None)
            self._letters.pop(name, None)
            return
        self._reason_of[letter.key] = letter.reason
        self._letters[letter.key] = letter
        self._letters.move_to_end(letter.key)
        if len(self._letters) > _KEPT:
            self._letters.popitem(last=False)
