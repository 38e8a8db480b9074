"""A whole worker in memory: reads, indexes and publishes without Kafka, Elasticsearch or waiting."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec
from doubles import WordModel

from triage.clock import ManualClock
from triage.config import load_settings
from triage.elastic.naming import IndexNaming
from triage.inference import language
from triage.metrics import Metrics
from triage.pipeline.batch import ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.publisher import Publisher
from triage.pipeline.stages.base import Stage
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, EnrichStage
from triage.pipeline.stages.index import IndexStage
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.runtime.health import Health
from triage.schemas.counts import CountMessage, WindowCount, WindowCounts
from triage.sinks.memory import MemorySink
from triage.types import Channel, Model

NOW = 1_795_339_800_000
TOPIC = "feedback.complaints"


class Rig:
    """A worker on a broker and an index in memory; `first` and `last` make stages before and after the others."""

    def __init__(
        self,
        sink: MemorySink | None = None,
        model: Model | None = None,
        first: Callable[["Rig"], Sequence[Stage]] = lambda rig: [],
        last: Callable[["Rig"], Sequence[Stage]] = lambda rig: [],
        **flags: Any,
    ) -> None:
        # As a worker does at its start, so that it does not take time in the first batch.
        language.preload()
        self.settings = load_settings(None, {"worker.batch_wait_ms": 1, "worker.cached_predictions": 0, **flags})
        self.clock = ManualClock(NOW)
        self.metrics = Metrics()
        self.source = MemorySource()
        self.sink = sink or MemorySink()
        # Tests use what their own model has beyond the protocol.
        self.model: Any = model or WordModel()
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
                self.settings.kafka,
                self.settings.alerting,
                PartitionWatermarks(self.clock),
                self.metrics,
                self.clock,
                sources_with_updates=self.settings.worker.sources_with_updates,
            ),
            self.settings.worker,
            self.clock,
            self.metrics,
            self.health,
        )

    def _connect(self) -> MemorySource:
        self.connects += 1
        return self.source.reopen()

    def send(self, *payloads: bytes, partition: int = 0) -> None:
        for payload in payloads:
            self.source.append(TOPIC, payload, timestamp_ms=NOW, partition=partition)

    def run(self, keep_alive: Callable[[], None] = lambda: None) -> None:
        """Run until everything is consumed, then stop as SIGTERM would; `keep_alive` is called while waiting."""
        poll = self.source.poll

        def polled(timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
            self.clock.advance(timeout_ms / 1000 + 0.001)
            found = poll(timeout_ms, max_records)
            if all(self.source.committed.get(key, 0) == len(log) for key, log in self.source.logs.items()):
                self.worker.stop()
            return found

        def kept_alive() -> None:
            self.clock.advance(0.1)
            keep_alive()

        self.source.poll = polled  # type: ignore[method-assign]
        self.source.on_keep_alive = kept_alive
        self.worker.run()

    def produced(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(m.value or b"null") for m in self.source.produced if m.topic == f"feedback.{topic}"]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(stored.body) for stored in self.sink.documents.values()]

    def counts(self) -> list[WindowCount]:
        messages = [m for m in self.source.produced if m.topic == "feedback.window-counts"]
        decoded = [msgspec.json.decode(m.value or b"null", type=CountMessage) for m in messages]
        return [c for m in decoded if isinstance(m, WindowCounts) for c in m.each() if c.key == ""]
