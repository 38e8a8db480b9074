"""The list of erased authors, stored in a topic: workers and replays omit what these authors wrote earlier."""

from collections.abc import Iterable

from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.pipeline.batch import Enriched
from triage.redaction import Redactor
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder
from triage.schemas.raw import RawRecord
from triage.topics.follower import TopicFollower
from triage.topics.kafka_types import ConsumerRecord
from triage.topics.scan import TopicScan

log = get_logger("triage.forgotten")

TOPIC = "forgotten"


class ErasedAuthors:
    """The hashes of erased authors, each with the time up to which their records are erased.

    Times are the broker's, in ms since the epoch. Thread-safe: a follower's thread adds authors, other threads read.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._decoder: MessageDecoder[ForgottenAuthor] = MessageDecoder(ForgottenAuthor)
        self._until_ms: dict[str, int] = {}
        self._found: dict[str, int] = {}

    def put(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            entry = self._decoder.decode(value)
        except NotUnderstood as error:
            log.warning("forgotten_author_not_understood", error=str(error))
            return
        self._until_ms[entry.author] = max(entry.at_ms, self._until_ms.get(entry.author, 0))
        self._found[entry.author] = max(entry.found, self._found.get(entry.author, 0))

    def __len__(self) -> int:
        return len(self._until_ms)

    def earlier_request(self, hashes: Iterable[str]) -> ForgottenAuthor | None:
        """Return the last request to erase an author with one of the hashes; None if there is none.

        Its `found` is the total number of items that such requests have erased.
        """
        known = [each for each in hashes if each in self._until_ms]
        if not known:
            return None
        last = max(known, key=self._until_ms.__getitem__)
        return ForgottenAuthor(author=last, at_ms=self._until_ms[last], found=max(self._found[each] for each in known))

    def contains(self, hashes: Iterable[str], written_ms: int) -> bool:
        """True if an author with one of the hashes was erased at or after `written_ms`."""
        return any(written_ms <= self._until_ms.get(each, -1) for each in hashes)

    def exclude(self, enriched: Iterable[Enriched]) -> list[Enriched]:
        """Return the records without those of erased authors, in order."""
        return [item for item in enriched if not self.contains([item.record.author_id or ""], item.validated.broker_ms)]

    def contains_author_of(self, raw: RawRecord, written_ms: int) -> bool:
        """True if the raw record is by an author who was erased at or after `written_ms`."""
        if not self._until_ms or raw.author_id is None:
            return False
        return self.contains(self._redactor.author_hashes(raw.source, raw.author_id), written_ms)

    def contains_author_of_payload(self, payload: bytes, written_ms: int) -> bool:
        """True if the raw payload, valid or not, names an author who was erased at or after `written_ms`."""
        if not self._until_ms:
            return False
        writer = self._redactor.writer_of(payload)
        return writer is not None and self.contains(self._redactor.author_hashes(*writer), written_ms)


def read_erased_authors(scan: TopicScan, redactor: Redactor) -> ErasedAuthors:
    """Read the authors erased so far from their topic.

    Raises ConfigError, AccessDenied or Unavailable if the topic cannot be read, so that it is not mistaken for empty.
    """
    authors = ErasedAuthors(redactor)
    for records in scan.read(scan.ranges(scan.existing_partitions(TOPIC))):
        for record in records:
            authors.put(record.value)
    return authors


def follow_erased_authors(kafka: KafkaSettings, authors: ErasedAuthors) -> TopicFollower:
    """Create a follower, not yet started, that keeps `authors` up to date with the topic of erased authors."""

    def take(records: list[ConsumerRecord]) -> None:
        for record in records:
            authors.put(record.value)

    return TopicFollower(kafka, TOPIC, take)
