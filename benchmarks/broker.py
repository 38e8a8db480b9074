"""Provides Kafka, Elasticsearch, topics and records for the benchmarks of the pipeline."""

import argparse
import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaProducer

from triage.config import Settings, load_settings
from triage.errors import InvalidRecord
from triage.local.feed import load_feed
from triage.local.stack import LocalStack
from triage.schemas.raw import parse_raw
from triage.topics import apply_topics
from triage.topics.definitions import load_definitions
from triage.types import Channel

STACK_HELP = "default: the embedded local stack"


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `open_stack` reads."""
    parser.add_argument("--kafka", help=f"bootstrap servers; {STACK_HELP}")
    parser.add_argument("--elasticsearch", help=f"URL; {STACK_HELP}")


@contextlib.contextmanager
def open_stack(arguments: argparse.Namespace, cores: set[int] | None = None) -> Iterator[dict[str, Any]]:
    """Settings of the stack that the options name, else of a new local stack, pinned to `cores` if given."""
    if arguments.kafka:
        yield {
            "kafka.bootstrap_servers": arguments.kafka,
            "elasticsearch.url": arguments.elasticsearch or "http://127.0.0.1:9200",
        }
        return
    with tempfile.TemporaryDirectory() as folder:
        stack = LocalStack(Path(folder))
        with stack as endpoints:
            if cores and stack.pid:
                pin(cores, stack.pid)
            yield {
                "kafka.bootstrap_servers": endpoints.bootstrap_servers,
                "elasticsearch.url": endpoints.elasticsearch_url,
            }


def fresh_settings(flags: dict[str, Any], partitions: int | None = None) -> Settings:
    """Settings with new names of topics, group and index; creates the topics, with `partitions` if given."""
    prefix = f"bench-{uuid.uuid4().hex[:6]}"
    settings = load_settings(
        None,
        {
            "kafka.topic_prefix": prefix,
            "elasticsearch.index_prefix": prefix,
            "elasticsearch.alerts_index": f"alerts-{prefix}",
            "worker.group": prefix,
            "worker.fleet": prefix,
            # The sample feed is repeated: every text is to be computed, as by the other contenders.
            "worker.cached_predictions": 0,
        }
        | flags,
    )
    definitions = load_definitions(settings.kafka)
    if partitions is not None:
        definitions = [replace(definition, partitions=partitions) for definition in definitions]
    apply_topics(settings.kafka, definitions=definitions)
    return settings


def sample_records(count: int) -> list[tuple[Channel, bytes]]:
    """`count` records of the sample feed, repeated with new ids, without `created_at`, as if they arrived live."""
    items = [(item.channel, msgspec.json.decode(item.payload)) for item in _valid(datetime(2026, 1, 1, tzinfo=UTC))]
    records = []
    for number in range(count):
        channel, fields = items[number % len(items)]
        own = {name: value for name, value in fields.items() if name != "created_at"} | {"id": f"b{number}"}
        records.append((channel, msgspec.json.encode(own)))
    return records


def _valid(start: datetime) -> Iterator[Any]:
    """The valid records of the feed: contenders wait until all records are indexed."""
    for item in load_feed().schedule(start):
        with contextlib.suppress(InvalidRecord):
            parse_raw(item.payload)
            yield item


def produce(settings: Settings, topic: str, payloads: list[bytes], partitions: int | None = None) -> None:
    """Produce the payloads to a topic, round robin over `partitions` if given, and wait for the broker."""
    producer = KafkaProducer(**settings.kafka.client(), linger_ms=20, batch_size=256 * 1024)
    try:
        for number, payload in enumerate(payloads):
            place = number % partitions if partitions else None
            producer.send(settings.kafka.topic(topic), payload, partition=place)
        producer.flush()
    finally:
        producer.close()


def pin(cores: set[int], pid: int = 0) -> None:
    """Pin a process (0: this one) and its present threads to these cores, if the system supports it."""
    if not hasattr(os, "sched_setaffinity"):
        return
    threads = Path(f"/proc/{pid or os.getpid()}/task")
    for thread in [int(entry.name) for entry in threads.iterdir()] if threads.exists() else [pid]:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, cores)
