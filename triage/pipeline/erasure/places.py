"""What `forget` does in each place that keeps something of an author, in an order in which it can be repeated."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from elasticsearch import Elasticsearch
from kafka import TopicPartition

from triage.clock import Clock
from triage.config import Settings
from triage.elastic import documents
from triage.elastic.alert_examples import alerts_with_examples, store_alert
from triage.elastic.corrections import erase_corrections
from triage.errors import NotUnderstood
from triage.pipeline.dead_letters.reader import TOPIC as LETTERS
from triage.pipeline.dead_letters.reader import entries
from triage.pipeline.erasure.tombstones import TOPIC
from triage.schemas.alert import Alert
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder
from triage.topics.retention import Retention
from triage.topics.scan import Range, TopicScan
from triage.topics.settled import wait_until_settled

_PAGE = 500
# Workers read the list twice a second, and ask it before they index and at each try to publish: what was on its way to
# its topic is there by then, if perhaps in a transaction that is still open.
_SETTLE_S = 5.0
_MOST_NAMED = 20


@dataclass
class Erased:
    """What was found of the author, and erased unless it was a dry run. `open_alerts` are still firing."""

    authors: list[str]
    documents: int = 0
    indices: dict[str, int] = field(default_factory=dict)
    late: int = 0
    dead_letters: int = 0
    alerts: int = 0
    corrections: int = 0
    open_alerts: list[str] = field(default_factory=list)
    raw: list[Retention] = field(default_factory=list)


class Writer(Protocol):
    """Messages to our topics, acknowledged at `flush`; a dry run's go nowhere."""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None: ...

    def flush(self) -> None: ...


class Erasure:
    """One run over all places. Raises Unavailable, AccessDenied, DependencyError."""

    def __init__(
        self, settings: Settings, client: Elasticsearch, scan: TopicScan, writer: Writer, erased: Erased
    ) -> None:
        self._settings = settings
        self._client = client
        self._scan = scan
        self._writer = writer
        self._hashes = frozenset(erased.authors)
        self._erased = erased
        self._ids: set[str] = set()
        self._letters: set[str] = set()
        self._quoting: set[str] = set()
        self._enriched: MessageDecoder[EnrichedRecord] = MessageDecoder(EnrichedRecord)
        self._alert: MessageDecoder[Alert] = MessageDecoder(Alert)

    def run(self, at_ms: int, clock: Clock, *, dry_run: bool) -> None:
        enriched = self._scan.existing_partitions("enriched")
        before = {where: end for where, (_, end) in self._scan.ranges(enriched).items()}
        for author in self._erased.authors:
            entry = msgspec.json.encode(ForgottenAuthor(author=author, at_ms=at_ms))
            self._writer.send(TOPIC, author.encode(), entry)
        self._writer.flush()
        self._everywhere(at_ms, dry_run=dry_run)
        if not dry_run:
            clock.sleep(_SETTLE_S)
            # Each by itself: of two topics kafka-python's list of offsets may lack the one that was not read last.
            for topic in ("enriched", LETTERS):
                self._see_to_the_end(topic)
            self._stragglers(before)
            self._everywhere(at_ms, dry_run=False)

    def _everywhere(self, at_ms: int, *, dry_run: bool) -> None:
        """Documents last: they alone tell which alerts quote the author, also to a run after one that was cut off."""
        settings = self._settings.elasticsearch
        mine = self._documents(at_ms)
        self._alerts(dry_run=dry_run)
        self._dead_letters()
        # What people said of the author's texts carries those texts.
        self._erased.corrections += erase_corrections(self._client, settings, self._hashes, dry_run=dry_run)
        for start in range(0, len(mine), _PAGE):
            self._erase(mine[start : start + _PAGE], at_ms, dry_run=dry_run)
        if not dry_run:
            documents.refresh(self._client, settings)

    def _documents(self, at_ms: int) -> list[tuple[str, str]]:
        """(index, `_id`) of what the author wrote until then."""
        settings = self._settings.elasticsearch
        documents.refresh(self._client, settings)
        mine = [
            (item.index, item.id)
            for page in documents.pages(self._client, settings, documents.by_authors(self._hashes), _PAGE)
            for item in page
            if item.version <= at_ms
        ]
        self._ids.update(identity for _, identity in mine)
        return mine

    def _erase(self, mine: list[tuple[str, str]], at_ms: int, *, dry_run: bool) -> None:
        for index, identity in mine:
            self._writer.send("enriched", identity.encode(), None)
            self._erased.indices[index] = self._erased.indices.get(index, 0) + 1
        # The tombstones first: after a crash in between, the documents are still found.
        self._writer.flush()
        self._erased.documents += len(mine)
        if not dry_run:
            documents.delete(self._client, mine, at_ms)

    def _see_to_the_end(self, topic: str) -> None:
        """A worker that was killed leaves a transaction open, and what others committed behind it can't be read yet."""
        partitions = self._scan.existing_partitions(topic)
        patience_ms = self._settings.worker.transaction_timeout_ms + self._settings.kafka.request_timeout_ms
        wait_until_settled(self._scan, self._settings.kafka, partitions, patience_ms / 1000)

    def _stragglers(self, before: dict[TopicPartition, int]) -> None:
        """What a worker had in hand: the index refused it, but its topic did not."""
        ranges = self._scan.ranges(before)
        last: dict[bytes, bool] = {}
        for records in self._scan.read({where: (before[where], end) for where, (_, end) in ranges.items()}):
            for record in records:
                last[record.key or b""] = record.value is not None and self._wrote(record.value)
        for key, mine in last.items():
            if mine:
                self._writer.send("enriched", key, None)
                self._ids.add(key.decode("utf-8", "replace"))
                self._erased.late += 1
        self._writer.flush()

    def _wrote(self, value: bytes) -> bool:
        try:
            return self._enriched.decode(value).author_id in self._hashes
        except NotUnderstood:
            return False

    def _dead_letters(self) -> None:
        """Letters that name the author; one whose record could not be read at all names nobody."""
        mine: dict[str, bool] = {}
        for key, letter in entries(self._scan):
            mine[key] = letter is not None and self._names(letter)
        for key, found in mine.items():
            if found:
                self._writer.send(LETTERS, key.encode(), None)
                self._letters.add(key)
        self._writer.flush()
        self._erased.dead_letters = len(self._letters)

    def _names(self, letter: DeadLetter) -> bool:
        """Letters of earlier versions do so in their payload alone, where that was not cut."""
        return letter.author_id in self._hashes or any(author in letter.payload for author in self._hashes)

    def _alerts(self, *, dry_run: bool) -> None:
        """Examples, in the index and in the topic, which may each know of a newer state than the other."""
        if not self._ids:
            return
        settings = self._settings.elasticsearch
        quoting: list[Alert] = []
        for version, alert in alerts_with_examples(self._client, settings, sorted(self._ids)):
            quoting.append(alert)
            if not dry_run:
                store_alert(self._client, settings, self._scrubbed(alert), version)
        quoting += self._published_alerts()
        self._note(quoting)

    def _note(self, quoting: Iterable[Alert]) -> None:
        still_open = set(self._erased.open_alerts)
        for alert in quoting:
            self._quoting.add(alert.dedup_key)
            if alert.status == "firing":
                still_open.add(alert.dedup_key)
        self._erased.alerts = len(self._quoting)
        self._erased.open_alerts = sorted(still_open)[:_MOST_NAMED]

    def _published_alerts(self) -> Iterable[Alert]:
        """Those in the topic that quoted, scrubbed there.

        The alerter publishes meanwhile: a newer state that ours went over is published once more, until none is there.
        """
        partitions = self._scan.existing_partitions("alerts")
        ranges = self._scan.ranges(partitions)
        quoting: dict[bytes, Alert] = {}
        sent: dict[bytes, bytes] = {}
        while True:
            states, sent = self._alert_states(ranges, sent), {}
            for key, (alert, covered) in states.items():
                scrubbed = self._scrubbed(alert)
                if covered or scrubbed is not alert:
                    sent[key] = msgspec.json.encode(scrubbed)
                    self._writer.send("alerts", key, sent[key])
                if key in quoting or key in sent:
                    quoting[key] = alert
            self._writer.flush()
            if not sent:
                return quoting.values()
            ranges = {where: (ranges[where][1], end) for where, (_, end) in self._scan.ranges(partitions).items()}

    def _alert_states(
        self, ranges: Mapping[TopicPartition, Range], sent: Mapping[bytes, bytes]
    ) -> dict[bytes, tuple[Alert, bool]]:
        """The last state of each alert there, and whether what we `sent` went over it."""
        states: dict[bytes, tuple[Alert, bool]] = {}
        for records in self._scan.read(ranges):
            for record in records:
                key = record.key or b""
                if record.value is None:
                    states.pop(key, None)
                elif record.value != sent.get(key):
                    with suppress(NotUnderstood):
                        states[key] = (self._alert.decode(record.value), False)
                elif key in states:
                    states[key] = (states[key][0], True)
        return states

    def _scrubbed(self, alert: Alert) -> Alert:
        kept = [example for example in alert.examples if example.id not in self._ids]
        return alert if len(kept) == len(alert.examples) else msgspec.structs.replace(alert, examples=kept)
