"""A fleet under test: its own topics and index, worker processes, records with known ids, and an auditor."""

import collections
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from checkout import ROOT
from elasticsearch import Elasticsearch
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from triage.clock import SystemClock
from triage.config import load_settings
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.plan import apply as apply_index
from triage.elastic.plan import plan_index
from triage.local.stack import Endpoints
from triage.topics import apply_topics
from triage.topics.definitions import TopicDefinition

TINY_MODEL = ROOT / "tests" / "assets" / "tiny-model"
RAW = ("complaints", "reviews", "social")
_T = TypeVar("_T")
StoredMessage = tuple[bytes, Any, int]
"""Key, decoded value (None for a tombstone) and timestamp in ms."""


def wait_for(condition: Callable[[], _T], timeout_s: float = 60.0, what: str = "the condition") -> _T:
    """Poll a condition of another process until it is true; returns its value."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come true in {timeout_s:g} s")


@dataclass
class Audit:
    """Occurrences of each id per place; a count above 1 is a duplicate."""

    enriched: collections.Counter[str] = field(default_factory=collections.Counter)
    indexed: collections.Counter[str] = field(default_factory=collections.Counter)
    dead: collections.Counter[str] = field(default_factory=collections.Counter)
    counted: int = 0
    counted_negative: int = 0
    lag: int = 0


def not_deleted(messages: Sequence[StoredMessage]) -> list[StoredMessage]:
    """Messages of a compacted topic without tombstones and what they deleted; other duplicates stay."""
    deleted = {key: at for at, (key, value, _) in enumerate(messages) if value is None}
    return [message for at, message in enumerate(messages) if at > deleted.get(message[0], -1)]


def partitions_of(consumer: KafkaConsumer, topic: str, timeout_s: float = 30.0) -> list[TopicPartition]:
    """The partitions of a topic that exists.

    On a busy machine the first answer may not name the topic yet: taken for no partitions, it would say that nothing
    is left to read.
    """
    deadline = time.monotonic() + timeout_s
    while not (numbers := consumer.partitions_for_topic(topic)):
        assert time.monotonic() < deadline, f"{topic} has no partitions after {timeout_s:g} s"
        time.sleep(0.1)
    return [TopicPartition(topic, number) for number in sorted(numbers)]


class Fleet:
    """Workers whose topics, index and group are named by `prefix`, so that tests can share a stack."""

    def __init__(self, endpoints: Endpoints, prefix: str, tmp_path: Path, **flags: Any) -> None:
        self.prefix = prefix
        self.tmp_path = tmp_path
        self.flags: dict[str, Any] = {
            "kafka.bootstrap_servers": endpoints.bootstrap_servers,
            "kafka.topic_prefix": prefix,
            "elasticsearch.url": endpoints.elasticsearch_url,
            "elasticsearch.index_prefix": prefix,
            "elasticsearch.alerts_index": f"alerts-{prefix}",
            "worker.group": prefix,
            "worker.fleet": prefix,
            "worker.session_timeout_ms": 6000,
            "worker.heartbeat_interval_ms": 1000,
            "worker.backoff_initial_s": 0.2,
            "worker.backoff_max_s": 2,
            "model.path": TINY_MODEL,
            "model.threads": 1,
            "logging.format": "json",
        } | flags
        self.settings = load_settings(None, self.flags)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def definitions(self) -> list[TopicDefinition] | None:
        """The topics of the fleet; None means those of the settings' environment."""
        return None

    def prepare(self) -> Self:
        apply_topics(self.settings.kafka, definitions=self.definitions())
        client = connect(self.settings.elasticsearch)
        wait_until_ready(client, self.settings.elasticsearch, SystemClock())
        clock = SystemClock()
        apply_index(client, plan_index(client, self.settings.elasticsearch, clock))
        client.close()
        return self

    def start_worker(self, slot: str) -> subprocess.Popen[bytes]:
        environment = {
            f"TRIAGE_{name.upper().replace('.', '__')}": str(value)
            for name, value in {**self.flags, "worker.slot": slot}.items()
        }
        log = (self.tmp_path / f"worker-{slot}-{time.time_ns()}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "triage", "worker"],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
        log.close()
        self.workers[slot] = process
        return process

    def stop(self) -> None:
        for process in self.workers.values():
            if process.poll() is None:
                process.terminate()
        for process in self.workers.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self, pattern: str = "*.log") -> str:
        return "\n".join(path.read_text("utf-8", "replace")[-5000:] for path in sorted(self.tmp_path.glob(pattern)))

    def produce(self, payloads: Sequence[bytes], topic: str | None = None) -> int:
        """Spread payloads over the raw topics and their partitions; returns their number."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka.bootstrap_servers, linger_ms=20)
        for index, payload in enumerate(payloads):
            name = topic or RAW[index % 3]
            producer.send(self.settings.kafka.topic(name), value=payload)
        producer.flush()
        producer.close()
        return len(payloads)

    def read(self, name: str, timeout_s: float = 60.0) -> list[StoredMessage]:
        """Every committed message of a topic: (key, decoded value, timestamp).

        Also those after a transaction that a killed process left open: it waits until Kafka has aborted that.
        """
        topic = self.settings.kafka.topic(name)
        with (
            self._consumer() as latest,
            self._consumer(isolation_level="read_committed", auto_offset_reset="earliest") as consumer,
        ):
            partitions = partitions_of(latest, topic)
            ends = latest.end_offsets(partitions)
            consumer.assign(partitions)
            messages: list[StoredMessage] = []
            deadline = time.monotonic() + timeout_s
            while any(consumer.position(each) < ends[each] for each in partitions):
                assert time.monotonic() < deadline, f"{topic} could not be read to its end in {timeout_s:g} s"
                for records in consumer.poll(timeout_ms=300).values():
                    messages += [
                        (r.key, json.loads(r.value) if r.value is not None else None, r.timestamp) for r in records
                    ]
            return messages

    @contextmanager
    def _consumer(self, **options: Any) -> Iterator[KafkaConsumer]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.kafka.bootstrap_servers, enable_auto_commit=False, **options
        )
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False)

    def elasticsearch(self) -> Elasticsearch:
        return Elasticsearch(self.settings.elasticsearch.urls(), request_timeout=30)

    def committed_lag(self) -> int:
        """Records of the raw topics after the group's committed offsets."""
        with self._consumer(group_id=self.settings.worker.group) as consumer:
            lag = 0
            for name in RAW:
                topic = self.settings.kafka.topic(name)
                partitions = partitions_of(consumer, topic)
                ends = consumer.end_offsets(partitions)
                lag += sum(ends[p] - (consumer.committed(p) or 0) for p in partitions)
            return lag

    def wait_drained(self, patience_s: float = 90) -> None:
        """Wait until all is committed; give up once nothing was for `patience_s`, however long a busy machine takes."""
        lag, since = self.committed_lag(), time.monotonic()
        while lag:
            time.sleep(0.1)
            before, lag = lag, self.committed_lag()
            if lag != before:
                since = time.monotonic()
            elif time.monotonic() - since > patience_s:
                raise AssertionError(f"nothing was committed for {patience_s:g} s; lag {lag}\n{self.logs()}")

    def audit(self) -> Audit:
        found = Audit(lag=self.committed_lag())
        for _, record, _ in not_deleted(self.read("enriched")):
            found.enriched[record["event"]["id"]] += 1
        for _, letter, _ in not_deleted(self.read("dead-letter")):
            found.dead[f"{letter['topic']}/{letter['partition']}/{letter['offset']}"] += 1
        seen: dict[tuple[Any, ...], dict[str, Any]] = {}
        for _, message, _ in self.read("window-counts"):
            for count in message.get("counts", ()):
                if count["key"] == "":
                    where = (message["topic"], message["partition"], count["window_start_ms"], message["first_offset"])
                    assert where not in seen, f"the same range was counted twice: {message}"
                    seen[where] = count
                    found.counted += count["total"]
                    found.counted_negative += count["negative"]
        with self.elasticsearch() as client:
            client.indices.refresh(index=self.prefix)
            after = None
            while True:
                page = client.search(
                    index=self.prefix,
                    size=2000,
                    sort=[{"event.id": "asc"}],
                    source_includes=["event.id"],
                    search_after=after,
                )["hits"]["hits"]
                if not page:
                    break
                found.indexed.update(hit["_source"]["event"]["id"] for hit in page)
                after = page[-1]["sort"]
        return found


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Valid raw records with ids r0, r1, ...; every third one clearly negative."""
    texts = (
        "My parcel never arrived and nobody answers, terrible service",
        "I love this lamp, works great and looks lovely",
        "快递三天了还没到，太失望了",
    )
    return [
        json.dumps(
            {"id": f"r{n}", "text": f"{texts[n % 3]} ({n})", "source": "test", "brand": "Acme"}, ensure_ascii=False
        ).encode()
        for n in range(start, start + count)
    ]
