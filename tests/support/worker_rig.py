"""A whole worker in memory: what it reads, indexes and publishes, without Kafka, Elasticsearch or waiting."""

import json
from datetime import date

import msgspec
from doubles import WordModel

from triage.clock import ManualClock
from triage.config import load_settings
from triage.elastic.naming import IndexNaming
from triage.inference import language
from triage.metrics import Metrics
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.publisher import Publisher
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, EnrichStage
from triage.pipeline.stages.index import IndexStage
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.runtime.health import Health
from triage.schemas.counts import CountMessage, WindowCounts
from triage.sinks.memory import MemorySink
from triage.types import Channel

NOW = 1_795_339_800_000
TOPIC = "feedback.complaints"


class Rig:
    """A worker on a broker and an index in memory; `first` and `last` make the stages around the others."""

    def __init__(self, sink=None, model=None, first=lambda rig: [], last=lambda rig: [], **flags):
        # As a worker does at its start: not in the middle of the first batch.
        language.preload()
        self.settings = load_settings(None, {"worker.batch_wait_ms": 1, **flags})
        self.clock = ManualClock(NOW)
        self.metrics = Metrics()
        self.source = MemorySource()
        self.sink = sink or MemorySink()
        self.model = model or WordModel()
        redactor = Redactor(self.settings.redaction)
        dead_letter_factory = DeadLetterFactory(redactor, self.clock, self.metrics)
        rules = load_rules(self.settings.rules.path)
        self.enricher = enricher = Enricher(self.model, redactor, rules, self.settings.worker, self.clock)
        self.redactor = redactor
        self.connects = 0
        self.health = Health(self.clock)
        self.worker = Worker(
            self._connect,
            [
                *first(self),
                DecodeStage(
                    self.settings.worker, {TOPIC: Channel.COMPLAINT}, dead_letter_factory, self.clock, self.metrics
                ),
                EnrichStage(enricher, self.metrics),
            ],
            [
                IndexStage(self.sink, IndexNaming("feedback", date(2026, 10, 1)), dead_letter_factory, self.metrics),
                *last(self),
            ],
            Publisher(
                self.settings.kafka, self.settings.alerting, PartitionWatermarks(self.clock), self.metrics, self.clock
            ),
            self.settings.worker,
            self.clock,
            self.metrics,
            self.health,
        )

    def _connect(self):
        self.connects += 1
        return self.source.reopen()

    def send(self, *payloads, partition=0):
        for payload in payloads:
            self.source.append(TOPIC, payload, timestamp_ms=NOW, partition=partition)

    def run(self, keep_alive=lambda: None):
        """Run until everything is consumed, then stop as SIGTERM would; `keep_alive` is called while waiting."""
        poll = self.source.poll

        def polled(timeout_ms, max_records):
            self.clock.advance(timeout_ms / 1000 + 0.001)
            found = poll(timeout_ms, max_records)
            if all(self.source.committed.get(key, 0) == len(log) for key, log in self.source.logs.items()):
                self.worker.stop()
            return found

        def kept_alive():
            self.clock.advance(0.1)
            keep_alive()

        self.source.poll = polled
        self.source.on_keep_alive = kept_alive
        self.worker.run()

    def produced(self, topic):
        return [json.loads(m.value) for m in self.source.produced if m.topic == f"feedback.{topic}"]

    def bodies(self):
        return [json.loads(stored.body) for stored in self.sink.documents.values()]

    def counts(self):
        messages = [m for m in self.source.produced if m.topic == "feedback.window-counts"]
        decoded = [msgspec.json.decode(m.value, type=CountMessage) for m in messages]
        return [c for m in decoded if isinstance(m, WindowCounts) for c in m.each() if c.key == ""]
