"""Reads all outputs and reports lost and duplicated records, and older versions of an id in place of the newest."""

import collections
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.feeder import VERSIONED
from chaos.fleet import SupervisedFleet
from harness import RAW, Fleet, partitions_of
from kafka import KafkaConsumer

from triage.topics.kafka_types import Consumer, ConsumerRecord, TopicPartition

_Position = tuple[str, int, int]
# By id, the text of its last version.
_Versions = dict[str, str]


@dataclass
class Finding:
    """Differences of one place from the raw topics: ids or positions that are missing, duplicated or unknown."""

    place: str
    expected: int
    lost: list[Any] = field(default_factory=list)
    twice: list[Any] = field(default_factory=list)
    unknown: list[Any] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.unknown)


@dataclass
class Verdict:
    records: int
    invalid: int
    findings: list[Finding]
    lag: int
    versioned: int = 0
    """Ids that were sent in several versions."""
    older: int = 0
    """Those of them that ended on an older version, in the index or in the enriched topic."""
    expired: int = 0
    """Ids that were sent in several versions of which retention deleted all unread; they are not in `versioned`."""

    @property
    def clean(self) -> bool:
        return self.lag == 0 and all(finding.clean for finding in self.findings)

    @property
    def lost(self) -> int:
        return self._records("lost")

    @property
    def twice(self) -> int:
        return self._records("twice")

    def _records(self, kind: str) -> int:
        """Number of records: a valid one may be missing in several places, an invalid one only in the dead letters."""
        found = {finding.place: len(getattr(finding, kind)) for finding in self.findings}
        dead = found.pop("dead letters")
        return max(found.values()) + dead


@dataclass
class Sent:
    """What the outputs must hold: records in the raw topics, and expired ones that were processed before."""

    valid: dict[_Position, str] = field(default_factory=dict)
    """Id of each valid record."""
    invalid: list[_Position] = field(default_factory=list)
    versions: _Versions = field(default_factory=dict)
    """Last version of each id that was sent in several, which are all in one partition."""
    unread: set[str] = field(default_factory=set)
    """Ids of which retention deleted versions that nobody had read."""

    def note(self, record: ConsumerRecord, *, unread: bool = False) -> None:
        """Add a record, in order of a partition. Of one that expired `unread` the outputs hold nothing."""
        position, value = (record.topic, record.partition, record.offset), record.value or b""
        fields = json.loads(value) if value.startswith(b'{"id": "r') else None
        if unread:
            if fields is not None and fields["id"].startswith(VERSIONED):
                self.unread.add(fields["id"])
        elif fields is None:
            self.invalid.append(position)
        else:
            self.valid[position] = fields["id"]
            if fields["id"].startswith(VERSIONED):
                self.versions[fields["id"]] = fields["text"]

    @property
    def expired(self) -> set[str]:
        """Ids of which no version was read."""
        return self.unread - self.versions.keys()


def audit(fleet: Fleet) -> Verdict:
    """Compare every output with the raw topics, record by record."""
    sent, partitions = _raw(fleet)
    valid, invalid, versions = sent.valid, sent.invalid, sent.versions
    ids = collections.Counter(valid.values())
    published = [record for _, record, _ in fleet.read("enriched")]
    enriched = collections.Counter(record["event"]["id"] for record in published)
    dead = collections.Counter(
        (letter["topic"], letter["partition"], letter["offset"]) for _, letter, _ in fleet.read("dead-letter")
    )
    order = [
        _order(
            "newest version in the enriched topic",
            versions,
            {record["event"]["id"]: record["text"] for record in published},
        ),
        _order("newest version in Elasticsearch", versions, _texts(fleet, versions)),
    ]
    findings = [
        _compare("enriched topic", ids, enriched),
        _compare("Elasticsearch", collections.Counter(dict.fromkeys(ids, 1)), _indexed(fleet)),
        _compare("dead letters", collections.Counter(invalid), dead),
        *order,
        *_counts(fleet, valid, partitions),
    ]
    older = {name for finding in order for name in finding.lost}
    return Verdict(
        len(valid) + len(invalid),
        len(invalid),
        findings,
        fleet.committed_lag(),
        len(versions),
        len(older),
        len(sent.expired),
    )


def _compare(place: str, expected: "collections.Counter[Any]", found: "collections.Counter[Any]") -> Finding:
    finding = Finding(place, sum(expected.values()))
    for name, times in expected.items():
        if found[name] < times:
            finding.lost.append(name)
        elif found[name] > times:
            finding.twice.append(name)
    finding.unknown = [name for name in found if name not in expected]
    return finding


def _order(place: str, versions: _Versions, found: Mapping[str, str]) -> Finding:
    """Ids that ended on another version than the last one in the raw topic count as lost."""
    return Finding(place, len(versions), lost=[name for name, last in versions.items() if found.get(name) != last])


def _texts(fleet: Fleet, ids: Iterable[str]) -> dict[str, str]:
    """The text of each id in the index."""
    names, texts = sorted(ids), {}
    with fleet.elasticsearch() as client:
        client.indices.refresh(index=fleet.prefix)
        for start in range(0, len(names), 500):
            query = {"terms": {"event.id": names[start : start + 500]}}
            hits = client.search(index=fleet.prefix, size=1_000, query=query)["hits"]["hits"]
            texts.update({hit["_source"]["event"]["id"]: hit["_source"]["text"] for hit in hits})
    return texts


def _raw(fleet: Fleet) -> tuple[Sent, dict[TopicPartition, int]]:
    """What was sent, and {partition: end}."""
    sent = Sent()
    for record, unread in fleet.expired if isinstance(fleet, SupervisedFleet) else ():
        sent.note(record, unread=unread)
    consumer: Consumer = KafkaConsumer(
        bootstrap_servers=fleet.settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        # Of an aborted transaction nothing is expected.
        isolation_level="read_committed",
    )
    try:
        topics = map(fleet.settings.kafka.topic, RAW)
        partitions = [partition for topic in topics for partition in partitions_of(consumer, topic)]
        consumer.assign(partitions)
        ends = dict(consumer.end_offsets(partitions))
        while any((consumer.position(partition) or 0) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    sent.note(record)
    finally:
        consumer.close(autocommit=False)
    return sent, ends


def _indexed(fleet: Fleet) -> "collections.Counter[str]":
    found: collections.Counter[str] = collections.Counter()
    with fleet.elasticsearch() as client:
        client.indices.refresh(index=fleet.prefix)
        after = None
        while True:
            page = client.search(
                index=fleet.prefix,
                size=5000,
                sort=[{"event.id": "asc"}],
                source=False,
                fields=["event.id"],  # type: ignore[list-item]
                search_after=after,
            )["hits"]["hits"]
            if not page:
                break
            found.update(hit["fields"]["event.id"][0] for hit in page)
            after = page[-1]["sort"]
        stored = client.count(index=fleet.prefix)["count"]
    # Two documents of one id on both sides of a page boundary are found here.
    if stored != found.total():
        found["documents beyond the pages"] = stored - found.total()
    return found


def _counts(fleet: Fleet, valid: Mapping[_Position, str], partitions: Mapping[TopicPartition, int]) -> list[Finding]:
    """Counts of a raw partition must cover disjoint ranges, and sum up to its valid records in each range."""
    offsets: dict[tuple[str, int], list[int]] = collections.defaultdict(list)
    for topic, partition, offset in valid:
        offsets[topic, partition].append(offset)
    sums: dict[tuple[str, int, int, int], int] = collections.defaultdict(int)
    messages: collections.Counter[tuple[Any, ...]] = collections.Counter()
    for _, message, _ in fleet.read("window-counts"):
        for count in message.get("counts", ()):
            if count["key"] == "":
                span = (message["topic"], message["partition"], message["first_offset"], message["last_offset"])
                sums[span] += count["total"]
                messages[*span, count["window_start_ms"]] += 1
    finding = Finding("window counts", len(valid))
    finding.twice += [span for span, times in messages.items() if times > 1]
    for where in partitions:
        name = (where.topic, where.partition)
        spans = sorted(span for span in sums if span[:2] == name)
        finding.twice += [later for earlier, later in itertools.pairwise(spans) if later[2] <= earlier[3]]
        left = set(offsets[name])
        for span in spans:
            expected = sum(offset in left for offset in range(span[2], span[3] + 1))
            if sums[span] != expected:
                (finding.lost if sums[span] < expected else finding.twice).append(span)
            left.difference_update(range(span[2], span[3] + 1))
        finding.lost += [(*name, offset) for offset in left]
    return [finding]
