"""Authors who asked to be forgotten: what they wrote before is not enriched again, by worker or replay."""

import threading
from collections.abc import Iterable

from triage.config import KafkaSettings
from triage.errors import NotUnderstood, TriageError, Unavailable
from triage.logging import get_logger
from triage.redaction import Redactor
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder
from triage.schemas.raw import RawRecord
from triage.topics.scan import TopicScan

log = get_logger("triage.forgotten")

TOPIC = "forgotten"
_PAUSE_S = 0.5
_RETRY_S = 2.0
_STOP_S = 5.0


class ForgottenAuthors:
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

    def hold(self, hashes: Iterable[str], written_ms: int) -> bool:
        """Whether one of the hashes is of an author who was forgotten after `written_ms`."""
        return any(written_ms <= self._until_ms.get(each, -1) for each in hashes)

    def wrote(self, raw: RawRecord, written_ms: int) -> bool:
        """Whether the record is by such an author."""
        if not self._until_ms or raw.author_id is None:
            return False
        return self.hold(self._redactor.author_hashes(raw.source, raw.author_id), written_ms)

    def wrote_payload(self, payload: bytes, written_ms: int) -> bool:
        """The same of a raw payload, which may be one that no worker takes."""
        if not self._until_ms:
            return False
        writer = self._redactor.writer_of(payload)
        return writer is not None and self.hold(self._redactor.author_hashes(*writer), written_ms)


def read_forgotten(scan: TopicScan, kafka: KafkaSettings, redactor: Redactor) -> ForgottenAuthors:
    """All there are now. Raises Unavailable, AccessDenied."""
    authors = ForgottenAuthors(redactor)
    for records in scan.read(scan.ranges(scan.partitions([kafka.topic(TOPIC)]))):
        for record in records:
            authors.put(record.value)
    return authors


class ForgottenWatch:
    """A thread that reads the list at start and then follows it; while Kafka is away it tries again."""

    def __init__(self, kafka: KafkaSettings, authors: ForgottenAuthors) -> None:
        self._kafka = kafka
        self._authors = authors
        self._stop = threading.Event()
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forgotten-authors", daemon=True)

    def start(self, timeout_s: float) -> None:
        """Return once the list is read as it stands now. Raises Unavailable."""
        self._thread.start()
        if not self._caught_up.wait(timeout_s):
            raise Unavailable("kafka", f"{self._kafka.topic(TOPIC)} could not be read within {timeout_s:g} s")

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with TopicScan(self._kafka, "triage-forgotten") as scan:
                    self._follow(scan)
            except TriageError as error:
                log.warning("forgotten_authors_not_readable", error=str(error))
            except Exception:
                # Else the list would stand still, and nobody would know.
                log.exception("forgotten_authors_reader_failed")
            self._stop.wait(_RETRY_S)

    def _follow(self, scan: TopicScan) -> None:
        partitions = scan.partitions([self._kafka.topic(TOPIC)])
        read = dict.fromkeys(partitions, 0)
        while not self._stop.is_set():
            ranges = scan.ranges(partitions)
            for records in scan.read({each: (max(start, read[each]), end) for each, (start, end) in ranges.items()}):
                for record in records:
                    self._authors.put(record.value)
            read = {each: end for each, (_, end) in ranges.items()}
            self._caught_up.set()
            self._stop.wait(_PAUSE_S)
