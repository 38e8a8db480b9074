"""Reads everything back and says what is lost and what is there twice."""

import collections
import itertools
import json
from dataclasses import dataclass, field

from harness import RAW
from kafka import KafkaConsumer, TopicPartition


@dataclass
class Finding:
    """What one place holds against what the raw topics say: ids or positions missing, and those too often."""

    place: str
    expected: int
    lost: list = field(default_factory=list)
    twice: list = field(default_factory=list)
    unknown: list = field(default_factory=list)

    @property
    def clean(self):
        return not (self.lost or self.twice or self.unknown)


@dataclass
class Verdict:
    records: int
    invalid: int
    findings: list
    lag: int

    @property
    def clean(self):
        return self.lag == 0 and all(finding.clean for finding in self.findings)

    @property
    def lost(self):
        return self._records("lost")

    @property
    def twice(self):
        return self._records("twice")

    def _records(self, kind):
        """How many records: a valid one may be missing in several places, an invalid one only in the dead letters."""
        found = {finding.place: len(getattr(finding, kind)) for finding in self.findings}
        dead = found.pop("dead letters")
        return max(found.values()) + dead


def audit(fleet):
    """Compare every output with the raw topics, record by record."""
    valid, invalid, partitions = _raw(fleet)
    ids = collections.Counter(valid.values())
    enriched = collections.Counter(record["event"]["id"] for _, record, _ in fleet.read("enriched"))
    dead = collections.Counter(
        (letter["topic"], letter["partition"], letter["offset"]) for _, letter, _ in fleet.read("dead-letter")
    )
    findings = [
        _compare("enriched topic", ids, enriched),
        _compare("Elasticsearch", collections.Counter(dict.fromkeys(ids, 1)), _indexed(fleet)),
        _compare("dead letters", collections.Counter(invalid), dead),
        *_counts(fleet, valid, partitions),
    ]
    return Verdict(len(valid) + len(invalid), len(invalid), findings, fleet.committed_lag())


def _compare(place, expected, found):
    finding = Finding(place, sum(expected.values()))
    for name, times in expected.items():
        if found[name] < times:
            finding.lost.append(name)
        elif found[name] > times:
            finding.twice.append(name)
    finding.unknown = [name for name in found if name not in expected]
    return finding


def _raw(fleet):
    """({position: id} of the valid records, positions of the invalid ones, {partition: end})."""
    valid, invalid, ends = {}, [], {}
    consumer = KafkaConsumer(
        bootstrap_servers=fleet.settings.kafka.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in map(fleet.settings.kafka.topic, RAW)
            for number in consumer.partitions_for_topic(topic)
        ]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for partition, records in consumer.poll(timeout_ms=500).items():
                for record in records:
                    position = (partition.topic, partition.partition, record.offset)
                    if record.value.startswith(b'{"id": "r'):
                        valid[position] = json.loads(record.value)["id"]
                    else:
                        invalid.append(position)
    finally:
        consumer.close(autocommit=False)
    return valid, invalid, ends


def _indexed(fleet):
    found = collections.Counter()
    with fleet.elasticsearch() as client:
        client.indices.refresh(index=fleet.prefix)
        after = None
        while True:
            page = client.search(
                index=fleet.prefix,
                size=5000,
                sort=[{"event.id": "asc"}],
                source=False,
                fields=["event.id"],
                search_after=after,
            )["hits"]["hits"]
            if not page:
                break
            found.update(hit["fields"]["event.id"][0] for hit in page)
            after = page[-1]["sort"]
        stored = client.count(index=fleet.prefix)["count"]
    # Two documents of one id on either side of a page's border show here.
    if stored != found.total():
        found["documents beyond the pages"] = stored - found.total()
    return found


def _counts(fleet, valid, partitions):
    """Each raw partition's counts cover ranges that don't overlap, and sum up to its valid records, per range."""
    offsets = collections.defaultdict(list)
    for topic, partition, offset in valid:
        offsets[topic, partition].append(offset)
    sums = collections.defaultdict(int)
    messages = collections.Counter()
    for _, message, _ in fleet.read("window-counts"):
        for count in message.get("counts", ()):
            if count["key"] == "":
                span = (message["topic"], message["partition"], message["first_offset"], message["last_offset"])
                sums[span] += count["total"]
                messages[*span, count["window_start_ms"]] += 1
    finding = Finding("window counts", len(valid))
    finding.twice += [span for span, times in messages.items() if times > 1]
    for partition in partitions:
        name = (partition.topic, partition.partition)
        spans = sorted(span for span in sums if span[:2] == name)
        finding.twice += [later for earlier, later in itertools.pairwise(spans) if later[2] <= earlier[3]]
        there = set(offsets[name])
        for span in spans:
            expected = sum(offset in there for offset in range(span[2], span[3] + 1))
            if sums[span] != expected:
                (finding.lost if sums[span] < expected else finding.twice).append(span)
            there.difference_update(range(span[2], span[3] + 1))
        finding.lost += [(*name, offset) for offset in there]
    return [finding]
