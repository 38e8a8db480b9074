"""Dead letters for the console, read from their Kafka topic.

Elasticsearch has none, and offsets cannot count them, because they include transaction markers.
"""

import threading
from collections import Counter, OrderedDict

from kafka.consumer.fetcher import ConsumerRecord

from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.schemas.deadletter import DeadLetter
from triage.schemas.message import MessageDecoder
from triage.topics.follower import TopicFollower
from triage.topics.scan import log_unreadable

_MAX_KEPT = 200


class DeadLetters:
    """The current dead letters of the topic `dead-letter`, of which the last message of each key counts.

    A record that was replayed or erased is no longer a dead letter. Only the content of the last 200 is kept.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self.follower = TopicFollower(kafka, "dead-letter", self._put, self._clear, log_unreadable)
        self._decoder: MessageDecoder[DeadLetter] = MessageDecoder(DeadLetter)
        self._lock = threading.Lock()
        self._reason_of: dict[str, str] = {}
        self._letters: OrderedDict[str, DeadLetter] = OrderedDict()

    @property
    def total(self) -> int | None:
        """Number of dead letters; None until the topic has been read to its end once."""
        return len(self._reason_of) if self.follower.caught_up.is_set() else None

    def by_reason(self) -> dict[str, int]:
        """Number of dead letters by reason, the most frequent first."""
        with self._lock:
            return dict(Counter(self._reason_of.values()).most_common())

    def latest(self, size: int) -> list[DeadLetter]:
        """The last `size` dead letters with their content, newest first."""
        with self._lock:
            return list(reversed(self._letters.values()))[:size]

    def _clear(self) -> None:
        with self._lock:
            self._reason_of, self._letters = {}, OrderedDict()

    def _put(self, records: list[ConsumerRecord]) -> None:
        with self._lock:
            for record in records:
                self._take(record.key, record.value)

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
        if len(self._letters) > _MAX_KEPT:
            self._letters.popitem(last=False)
