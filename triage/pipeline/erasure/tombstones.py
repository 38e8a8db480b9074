"""Authors who asked to be forgotten: what they wrote before is not enriched again, by worker or replay."""

from collections.abc import Iterable

from kafka.consumer.fetcher import ConsumerRecord

from triage.config import KafkaSettings
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.pipeline.batch import Enriched
from triage.redaction import Redactor
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder
from triage.schemas.raw import RawRecord
from triage.topics.follower import TopicFollower
from triage.topics.scan import TopicScan

log = get_logger("triage.forgotten")

TOPIC = "forgotten"


class ErasedAuthors:
    """Their hashes, and up to when (broker's time in ms) what they wrote is gone. Thread-safe."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._decoder: MessageDecoder[ForgottenAuthor] = MessageDecoder(ForgottenAuthor)
        self._until_ms: dict[str, int] = {}

    def put(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            entry = self._decoder.decode(value)
        except NotUnderstood as error:
            log.warning("forgotten_author_not_understood", error=str(error))
            return
        self._until_ms[entry.author] = max(entry.at_ms, self._until_ms.get(entry.author, 0))

    def __len__(self) -> int:
        return len(self._until_ms)

    def contains(self, hashes: Iterable[str], written_ms: int) -> bool:
        """Whether one of the hashes is of an author who was forgotten after `written_ms`."""
        return any(written_ms <= self._until_ms.get(each, -1) for each in hashes)

    def exclude(self, enriched: Iterable[Enriched]) -> list[Enriched]:
        """Those of the records that no such author wrote."""
        return [item for item in enriched if not self.contains([item.record.author_id or ""], item.accepted.broker_ms)]

    def wrote(self, raw: RawRecord, written_ms: int) -> bool:
        """Whether the record is by such an author."""
        if not self._until_ms or raw.author_id is None:
            return False
        return self.contains(self._redactor.author_hashes(raw.source, raw.author_id), written_ms)

    def wrote_payload(self, payload: bytes, written_ms: int) -> bool:
        """The same of a raw payload, which may be one that no worker takes."""
        if not self._until_ms:
            return False
        writer = self._redactor.writer_of(payload)
        return writer is not None and self.contains(self._redactor.author_hashes(*writer), written_ms)


def read_forgotten(scan: TopicScan, redactor: Redactor) -> ErasedAuthors:
    """All there are now. Raises what `existing_partitions` does: a list that may not be seen is not empty."""
    authors = ErasedAuthors(redactor)
    for records in scan.read(scan.ranges(scan.existing_partitions(TOPIC))):
        for record in records:
            authors.put(record.value)
    return authors


def follow_forgotten(kafka: KafkaSettings, authors: ErasedAuthors) -> TopicFollower:
    """Keeps the list as it is now and will be."""

    def take(records: list[ConsumerRecord]) -> None:
        for record in records:
            authors.put(record.value)

    return TopicFollower(kafka, TOPIC, take)
