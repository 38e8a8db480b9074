"""`make bench NAME=pipe`: what the pipeline itself costs, with a model of constant outputs and an index in memory.

Decode, redaction, language, rules, JSON, window counts and transaction messages of the sample feed, on one core.
"""

import argparse
import time
from datetime import UTC, date, datetime

from benchmarks.report import Row, publish
from triage.clock import SystemClock
from triage.config import load_settings
from triage.elastic.naming import IndexNaming
from triage.local.feed import load_feed
from triage.metrics import Metrics
from triage.pipeline.deadletters import DeadLetterOffice
from triage.pipeline.decode import DecodeStage
from triage.pipeline.enrich import Enricher, EnrichStage
from triage.pipeline.health import Health
from triage.pipeline.index import IndexStage
from triage.pipeline.memory_feed import MemoryFeed
from triage.pipeline.publish import Publisher
from triage.pipeline.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.sinks.memory import MemorySink
from triage.topics.definitions import RAW_TOPICS
from triage.types import Prediction


class ConstantModel:
    """Says the same of every text: what is left is the cost of everything around the model."""

    version, taxonomy, languages = "constant@1", "1", frozenset({"en", "zh"})
    _prediction = Prediction(
        intents=[("delivery", 0.8), ("billing", 0.1), ("other", 0.1)],
        sentiment={"negative": 0.7, "neutral": 0.2, "positive": 0.1},
    )

    def predict(self, texts: list[str]) -> list[Prediction]:
        return [self._prediction] * len(texts)


class EndingFeed(MemoryFeed):
    """Stops its worker when everything is read."""

    worker: Worker

    def poll(self, timeout_ms: int, max_records: int) -> list:
        found = super().poll(timeout_ms, max_records)
        if not found:
            self.worker.stop()
        return found


def run(payloads: list[tuple[str, bytes]]) -> float:
    """Records a second of one pass."""
    settings = load_settings(None, {"worker.batch_wait_ms": 1})
    clock, metrics, feed = SystemClock(), Metrics(), EndingFeed()
    redactor = Redactor(settings.redaction)
    office = DeadLetterOffice(redactor, clock, metrics)
    channels = {settings.kafka.topic(name): channel for channel, name in RAW_TOPICS.items()}
    for topic, payload in payloads:
        feed.append(topic, payload, timestamp_ms=clock.now_ms())
    feed.worker = Worker(
        lambda: feed,
        [
            DecodeStage(settings.worker, channels, office, clock, metrics),
            EnrichStage(Enricher(ConstantModel(), redactor, load_rules(None), settings.worker, clock), metrics),
            IndexStage(MemorySink(keep=False), IndexNaming("feedback", date(2000, 1, 1)), office, metrics),
        ],
        Publisher(settings.kafka, settings.alerting, PartitionWatermarks(clock), metrics),
        settings.worker,
        clock,
        metrics,
        Health(clock),
    )
    started = time.perf_counter()
    feed.worker.run()
    return len(payloads) / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=6_000)
    arguments = parser.parse_args()
    settings = load_settings()
    items = list(load_feed().schedule(datetime(2026, 1, 1, tzinfo=UTC)))[: arguments.records]
    payloads = [(settings.kafka.topic(RAW_TOPICS[item.channel]), item.payload) for item in items]
    run(payloads[:500])
    publish("pipe", [Row.of("sample feed, one core", "records/s", [run(payloads) for _ in range(arguments.rounds)])])


if __name__ == "__main__":
    main()
