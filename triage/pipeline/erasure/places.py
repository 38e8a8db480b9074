"""Erases an author's records from Kafka topics and Elasticsearch, in an order that allows repetition."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import Clock
from triage.config import Settings
from triage.elastic import documents
from triage.elastic.alert_examples import alerts_with_examples, store_alert
from triage.elastic.author_keys import version_of
from triage.elastic.cases import erase_cases
from triage.elastic.conversations import erase_conversations
from triage.elastic.corrections import erase_corrections
from triage.elastic.evidence import erase_evidence
from triage.errors import NotUnderstood
from triage.pipeline.dead_letters.reader import TOPIC as LETTERS
from triage.pipeline.dead_letters.reader import entries
from triage.pipeline.erasure.survey import Survey
from triage.pipeline.erasure.tombstones import TOPIC
from triage.schemas.alert import Alert
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.forgotten import ForgottenAuthor
from triage.schemas.message import MessageDecoder
from triage.schemas.turn import AnsweredTurn
from triage.schemas.version import is_named, last_version, written_ms
from triage.topics.definitions import ANSWERED_TURNS
from triage.topics.kafka_types import TopicPartition
from triage.topics.open_transactions import wait_for_open_transactions
from triage.topics.retention import Retention
from triage.topics.scan import Range, TopicScan

_PAGE = 500
# Workers read the list of erased authors twice a second, and check it before they index and before each attempt to
# publish. After this time records in flight have reached their topic, perhaps in a transaction that is still open.
_IN_FLIGHT_S = 5.0
_MAX_LISTED_ALERTS = 20
_RESOLUTIONS = "resolutions"


@dataclass
class Erased:
    """Result of one erasure: what was found of the author, and erased unless it was a dry run.

    `authors` are the author's hashes under each key. `documents`, `dead_letters`, `alerts`, `corrections`,
    `conversations`, `turns` (of the topic) and `cases` are the numbers found; `indices` has the number of documents by
    index. `late` is the number of records that a worker published meanwhile, `open_alerts` are the alerts that still
    fire. `letters_read` and `alerts_read` are the numbers of dead letters and alert states that were examined;
    `unknown_letters` counts, by key version, letters whose author was hashed with a key that is not configured;
    `not_understood` counts messages among them that triage did not write.
    """

    authors: list[str]
    survey: Survey
    documents: int = 0
    indices: dict[str, int] = field(default_factory=dict)
    late: int = 0
    dead_letters: int = 0
    alerts: int = 0
    corrections: int = 0
    conversations: int = 0
    turns: int = 0
    cases: int = 0
    open_alerts: list[str] = field(default_factory=list)
    raw: list[Retention] = field(default_factory=list)
    letters_read: int = 0
    alerts_read: int = 0
    unknown_letters: dict[str, int] = field(default_factory=dict)
    not_understood: int = 0

    @property
    def total(self) -> int:
        """Number of documents, late records, dead letters, alerts and copies of texts that were found."""
        copies = self.corrections + self.conversations + self.turns + self.cases
        return self.documents + self.late + self.dead_letters + self.alerts + copies

    @property
    def unknown_versions(self) -> dict[str, int]:
        """Number of documents, corrections and dead letters whose author was hashed with an unknown key, by version."""
        documents, letters = self.survey.unknown_versions, self.unknown_letters
        return {version: documents.get(version, 0) + letters.get(version, 0) for version in {**documents, **letters}}


class Writer(Protocol):
    """Sends messages to topics, given by their short names; `flush` waits for all acknowledgements."""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None: ...

    def flush(self) -> None: ...


class Erasure:
    """One erasure of an author, under all of their hashes, from Kafka and Elasticsearch.

    Its methods raise Unavailable, AccessDenied or DependencyError for errors of Kafka and Elasticsearch.
    """

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
        self._foreign: set[str] = set()
        self._enriched: MessageDecoder[EnrichedRecord] = MessageDecoder(EnrichedRecord)
        self._alert: MessageDecoder[Alert] = MessageDecoder(Alert)
        self._turn: MessageDecoder[AnsweredTurn] = MessageDecoder(AnsweredTurn)

    def run(self, at_ms: int, clock: Clock, *, dry_run: bool) -> None:
        enriched = self._scan.existing_partitions("enriched")
        before = {where: end for where, (_, end) in self._scan.ranges(enriched).items()}
        for author in self._erased.authors:
            self._request(author, at_ms, self._erased.survey.erased_before)
        self._writer.flush()
        self._erase_everywhere(at_ms, dry_run=dry_run)
        if not dry_run:
            clock.sleep(_IN_FLIGHT_S)
            # One topic per call: see `known_offsets`.
            for topic in ("enriched", LETTERS, ANSWERED_TURNS):
                self._wait_until_readable(topic)
            self._erase_late_records(before)
            self._erase_everywhere(at_ms, dry_run=False)
        for author in self._erased.authors:
            # A later request that finds nothing can then tell "erased before" from "never there".
            self._request(author, at_ms, self._erased.survey.erased_before + self._erased.total)
        self._writer.flush()

    def _request(self, author: str, at_ms: int, found: int) -> None:
        entry = msgspec.json.encode(ForgottenAuthor(author=author, at_ms=at_ms, found=found))
        self._writer.send(TOPIC, author.encode(), entry)

    def _erase_everywhere(self, at_ms: int, *, dry_run: bool) -> None:
        """Erase the author's alert examples, dead letters, copies of texts and, last, documents.

        Only the documents show which alerts quote the author, also in a run after an interrupted one.
        """
        settings = self._settings.elasticsearch
        found = self._find_documents(at_ms)
        self._erase_alert_examples(dry_run=dry_run)
        self._erase_dead_letters()
        # Corrections hold the corrected texts.
        self._erased.corrections += erase_corrections(self._client, settings, self._hashes, dry_run=dry_run)
        self._erased.conversations += erase_conversations(self._client, settings, self._hashes, dry_run=dry_run)
        self._erase_turns()
        self._erase_cases(dry_run=dry_run)
        for start in range(0, len(found), _PAGE):
            self._erase_documents(found[start : start + _PAGE], dry_run=dry_run)
        if not dry_run:
            documents.refresh(self._client, settings)
        self._erased.not_understood = len(self._foreign)

    def _find_documents(self, at_ms: int) -> list[tuple[str, str, int]]:
        """Return (index, `_id`, version of the deletion) of each document that the author wrote until `at_ms`.

        A version that the source named does not say when the document was written: such documents are all erased, also
        those that were written within the seconds that this takes.
        """
        settings = self._settings.elasticsearch
        documents.refresh(self._client, settings)
        found = [
            (item.index, item.id, last_version(at_ms, item.version))
            for page in documents.pages(self._client, settings, documents.by_authors(self._hashes), _PAGE)
            for item in page
            if is_named(item.version) or written_ms(item.version) <= at_ms
        ]
        self._ids.update(identity for _, identity, _ in found)
        return found

    def _erase_documents(self, found: list[tuple[str, str, int]], *, dry_run: bool) -> None:
        for index, identity, _ in found:
            self._writer.send("enriched", identity.encode(), None)
            self._erased.indices[index] = self._erased.indices.get(index, 0) + 1
        # Tombstones first: after a crash in between, the documents are still found.
        self._writer.flush()
        self._erased.documents += len(found)
        if not dry_run:
            documents.delete(self._client, found)

    def _erase_turns(self) -> None:
        """Erase the answered turns that name the author; with a writer that drops them they are only counted."""
        by_author: dict[bytes, bool] = {}
        for records in self._scan.read(self._scan.ranges(self._scan.existing_partitions(ANSWERED_TURNS))):
            for record in records:
                key = record.key or b""
                if record.value is None:
                    by_author.pop(key, None)
                    continue
                try:
                    by_author[key] = self._turn.decode(record.value).author_id in self._hashes
                except NotUnderstood:
                    self._foreign.add(f"{ANSWERED_TURNS} {key.decode('utf-8', 'replace')}")
        for key, erase in by_author.items():
            if erase:
                self._writer.send(ANSWERED_TURNS, key, None)
                self._erased.turns += 1
        self._writer.flush()

    def _erase_cases(self, *, dry_run: bool) -> None:
        """Erase resolved cases and verdicts; also from the topic of resolutions, from which cases would come again."""
        settings = self._settings.elasticsearch
        erased = erase_cases(self._client, settings, self._hashes, dry_run=dry_run)
        self._erased.cases += len(erased)
        erase_evidence(self._client, settings, self._hashes, sorted(self._ids), dry_run=dry_run)
        if self._scan.existing_partitions(_RESOLUTIONS):
            for record in sorted({*erased, *self._ids}) if not dry_run else ():
                self._writer.send(_RESOLUTIONS, record.encode(), None)
            self._writer.flush()

    def _wait_until_readable(self, topic: str) -> None:
        """Wait until no transaction is open on the topic; records after an open one can't be read.

        A killed worker may have left one open, until the broker ends it after `worker.transaction_timeout_ms`.
        """
        partitions = self._scan.existing_partitions(topic)
        timeout_ms = self._settings.worker.transaction_timeout_ms + self._settings.kafka.request_timeout_ms
        wait_for_open_transactions(self._scan, self._settings.kafka, partitions, timeout_ms / 1000)

    def _erase_late_records(self, before: dict[TopicPartition, int]) -> None:
        """Erase records that a worker published meanwhile: the index rejected them, but the enriched topic took them.

        `before` has the end offset of each partition at the start of the erasure; only later records are read.
        """
        ranges = self._scan.ranges(before)
        by_author: dict[bytes, bool] = {}
        for records in self._scan.read({where: (before[where], end) for where, (_, end) in ranges.items()}):
            for record in records:
                by_author[record.key or b""] = record.value is not None and self._is_by_author(record.value)
        for key, erase in by_author.items():
            if erase:
                self._writer.send("enriched", key, None)
                self._ids.add(key.decode("utf-8", "replace"))
                self._erased.late += 1
        self._writer.flush()

    def _is_by_author(self, value: bytes) -> bool:
        try:
            return self._enriched.decode(value).author_id in self._hashes
        except NotUnderstood:
            return False

    def _erase_dead_letters(self) -> None:
        """Erase the dead letters that name the author; that of a record which can't be decoded names no author."""
        by_author: dict[str, bool] = {}
        versions: dict[str, str] = {}
        for key, letter in entries(self._scan, lambda key: self._foreign.add(f"{LETTERS} {key}")):
            by_author[key] = letter is not None and self._names_author(letter)
            versions[key] = version_of(letter.author_id) if letter is not None and letter.author_id else ""
        known = {"", *self._erased.survey.keys}
        self._erased.unknown_letters = dict(Counter(each for each in versions.values() if each not in known))
        self._erased.letters_read = len(by_author)
        for key, erase in by_author.items():
            if erase:
                self._writer.send(LETTERS, key.encode(), None)
                self._letters.add(key)
        self._writer.flush()
        self._erased.dead_letters = len(self._letters)

    def _names_author(self, letter: DeadLetter) -> bool:
        """Return True if the letter has one of the author's hashes as its author, or in its payload.

        Letters of earlier versions name their author only in the payload, and only if that was not cut.
        """
        return letter.author_id in self._hashes or any(author in letter.payload for author in self._hashes)

    def _erase_alert_examples(self, *, dry_run: bool) -> None:
        """Remove examples from alerts in the index and in the topic; either may hold a newer state than the other."""
        if not self._ids:
            return
        settings = self._settings.elasticsearch
        quoting: list[Alert] = []
        for version, alert in alerts_with_examples(self._client, settings, sorted(self._ids)):
            quoting.append(alert)
            if not dry_run:
                store_alert(self._client, settings, self._without_examples(alert), version)
        quoting += self._erase_published_examples()
        self._count_alerts(quoting)

    def _count_alerts(self, quoting: Iterable[Alert]) -> None:
        still_open = set(self._erased.open_alerts)
        for alert in quoting:
            self._quoting.add(alert.dedup_key)
            if alert.status == "firing":
                still_open.add(alert.dedup_key)
        self._erased.alerts = len(self._quoting)
        self._erased.open_alerts = sorted(still_open)[:_MAX_LISTED_ALERTS]

    def _erase_published_examples(self) -> Iterable[Alert]:
        """Publish alerts that quote the author again, without those examples; returns the alerts that quoted them.

        The alerter publishes meanwhile: if a newer state of it was overwritten, that state is published again without
        the examples, until none was overwritten.
        """
        partitions = self._scan.existing_partitions("alerts")
        ranges = self._scan.ranges(partitions)
        quoting: dict[bytes, Alert] = {}
        sent: dict[bytes, bytes] = {}
        while True:
            states, sent = self._alert_states(ranges, sent), {}
            self._erased.alerts_read = max(self._erased.alerts_read, len(states))
            for key, (alert, overwritten) in states.items():
                cleaned = self._without_examples(alert)
                if overwritten or cleaned is not alert:
                    sent[key] = msgspec.json.encode(cleaned)
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
        """Return, by key, the last state of each alert in these ranges, and True if a message of `sent` overwrote it.

        `sent` has the messages that this erasure published last, by key: they are not states of the alerter.
        """
        states: dict[bytes, tuple[Alert, bool]] = {}
        for records in self._scan.read(ranges):
            for record in records:
                key = record.key or b""
                if record.value is None:
                    states.pop(key, None)
                elif record.value != sent.get(key):
                    try:
                        states[key] = (self._alert.decode(record.value), False)
                    except NotUnderstood:
                        self._foreign.add(f"alerts {key.decode('utf-8', 'replace')}")
                elif key in states:
                    states[key] = (states[key][0], True)
        return states

    def _without_examples(self, alert: Alert) -> Alert:
        kept = [example for example in alert.examples if example.id not in self._ids]
        return alert if len(kept) == len(alert.examples) else msgspec.structs.replace(alert, examples=kept)
