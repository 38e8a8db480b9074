"""`make bench NAME=pipe`: cost of the pipeline without the model and the index (constant predictions, a null sink).

The production worker reads records of the sample feed from Kafka and publishes the results in transactions: consume,
decode, redaction, language, rules, JSON, window counts, dead letters, offsets. It is pinned to one core, the broker to
the others. Event times are the times of arrival, as in live operation.

`--against PYTHON` runs the same benchmark of another build in turn, one round each, with the same broker: `PYTHON` is
the interpreter of an environment with that build's checkout installed, as `../before/.venv/bin/python`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.broker import add_stack_options, fresh_settings, open_stack, pin, produce, sample_records
from benchmarks.report import ROOT, Row, publish
from triage.clock import SystemClock
from triage.config import Settings, load_settings
from triage.elastic.naming import IndexNaming
from triage.inference.language import preload
from triage.metrics import Metrics
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.publisher import Publisher
from triage.pipeline.source import Message, Source
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, EnrichStage
from triage.pipeline.stages.index import IndexStage
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.runtime.health import Health
from triage.runtime.memory import collect_seldom
from triage.sinks.memory import MemorySink
from triage.topics.definitions import RAW_TOPICS
from triage.types import Prediction


class ConstantModel:
    """Predicts the same for every text, so that only the cost of the pipeline remains."""

    version, taxonomy, languages = "constant@1", "1", frozenset({"en", "zh"})
    _prediction = Prediction(
        intents=[("delivery", 0.8), ("billing", 0.1), ("other", 0.1)],
        sentiment={"negative": 0.7, "neutral": 0.2, "positive": 0.1},
    )

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._prediction] * len(texts)


class MeasuredSource:
    """A source that stops its worker after `total` committed records and measures the time from the first record."""

    def __init__(self, source: Source, total: int) -> None:
        self._source = source
        self._left = total
        self._counted: dict[Partition, int] = {}
        self.worker: Worker
        self.started = self.cpu_started = self.seconds = self.cpu_seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        before, cpu_before = time.perf_counter(), time.process_time()
        found = self._source.poll(timeout_ms, max_records)
        if found and not self.started:
            self.started, self.cpu_started = before, cpu_before
        return found

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        self._source.commit(messages, offsets)
        for partition, offset in offsets.items():
            self._left -= offset - self._counted.get(partition, 0)
            self._counted[partition] = offset
        if self._left <= 0:
            self.seconds = time.perf_counter() - self.started
            self.cpu_seconds = time.process_time() - self.cpu_started
            self.worker.stop()


def run(settings: Settings, source: Source, total: int) -> tuple[float, float]:
    """Pass `total` records of a source through a worker; returns wall time and processor time in seconds."""
    clock, metrics, measured = SystemClock(), Metrics(), MeasuredSource(source, total)
    redactor = Redactor(settings.redaction)
    dead_letter_factory = DeadLetterFactory(redactor, clock, metrics)
    channels = {settings.kafka.topic(name): channel for channel, name in RAW_TOPICS.items()}
    measured.worker = Worker(
        lambda: measured,  # type: ignore[return-value, arg-type]
        [
            DecodeStage(settings.worker, channels, dead_letter_factory, clock, metrics),
            EnrichStage(Enricher(ConstantModel(), redactor, load_rules(None), settings.worker, clock), metrics),
        ],
        [IndexStage(MemorySink(keep=False), IndexNaming("feedback", date(2000, 1, 1)), dead_letter_factory, metrics)],
        Publisher(settings.kafka, settings.alerting, PartitionWatermarks(clock), metrics),
        settings.worker,
        clock,
        metrics,
        Health(clock),
    )
    measured.worker.run()
    return measured.seconds, measured.cpu_seconds


def in_memory(payloads: list[bytes]) -> tuple[float, float]:
    """Wall and processor time in seconds for these payloads without a broker, to find the cost of Kafka's client."""
    settings, source = load_settings(), MemorySource()
    for payload in payloads:
        source.append(settings.kafka.topic("complaints"), payload, timestamp_ms=SystemClock().now_ms())
    return run(settings, source, len(payloads))


def round_of(python: str, root: Path, arguments: argparse.Namespace, flags: Mapping[str, Any]) -> dict[str, float]:
    """Run one round of a build's own benchmark in a process of its own; returns the median by the row's name."""
    command = [python, "-m", "benchmarks.pipe", "--rounds", "1", "--records", str(arguments.records)]
    stack = ["--kafka", flags["kafka.bootstrap_servers"], "--elasticsearch", flags["elasticsearch.url"]]
    subprocess.run([*command, *stack], cwd=root, stdout=subprocess.DEVNULL, check=True)
    rows = json.loads((root / "benchmarks" / "results" / "pipe.json").read_text("utf-8"))["rows"]
    return {row["name"]: row["median"] for row in rows}


def side_by_side(arguments: argparse.Namespace) -> list[Row]:
    """Rows of this build and of the one named by `--against`, measured in alternating rounds."""
    located = "import pathlib, triage; print(pathlib.Path(triage.__file__).parents[1])"
    other = subprocess.run([arguments.against, "-c", located], cwd="/", capture_output=True, text=True, check=True)
    builds = {"now": (sys.executable, ROOT), "before": (arguments.against, Path(other.stdout.strip()))}
    found: dict[tuple[str, str], list[float]] = {}
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with open_stack(arguments, set(cores[1:])) as flags:
        for _ in range(arguments.rounds):
            for build, (python, root) in builds.items():
                for name, value in round_of(python, root, arguments, flags).items():
                    found.setdefault((name, build), []).append(value)
    return [
        Row.of(f"{name}, {build}", "µs/record" if "processor time" in name else "records/s", values)
        for (name, build), values in sorted(found.items())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--against", metavar="PYTHON", help="interpreter of an environment with another build")
    add_stack_options(parser)
    arguments = parser.parse_args()
    if arguments.against:
        publish("pipe", side_by_side(arguments))
        return
    payloads = [payload for _, payload in sample_records(arguments.records)]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    preload()
    collect_seldom()
    passes: dict[str, list[tuple[float, float]]] = {"Kafka to Kafka, one core": [], "the same without Kafka": []}
    in_memory(payloads[:500])
    with open_stack(arguments, set(cores[1:])) as flags:
        settings = fresh_settings(flags)
        produce(settings, "complaints", payloads)
        pin({cores[0]})
        for number in range(arguments.rounds):
            again = settings.model_copy(
                update={"worker": settings.worker.model_copy(update={"group": f"{settings.worker.group}-{number}"})}
            )
            topics = [again.kafka.topic("complaints")]
            source = KafkaSource(again.kafka, again.worker, topics, MemberIdentity(again.worker.group, SystemClock()))
            passes["Kafka to Kafka, one core"].append(run(again, source, len(payloads)))
            passes["the same without Kafka"].append(in_memory(payloads))
    rows = []
    for name, times in passes.items():
        rows.append(Row.of(name, "records/s", [len(payloads) / wall for wall, _ in times]))
        rows.append(Row.of(f"{name}: processor time", "µs/record", [cpu / len(payloads) * 1e6 for _, cpu in times]))
    publish("pipe", rows)


if __name__ == "__main__":
    main()
