"""Measures the alerter as a process on one core that reads window counts from a local Kafka, with Faust and network."""

import os
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from kafka import KafkaProducer

from triage.alerting.rules.loader import load_alert_rules
from triage.clock import SystemClock
from triage.config import KafkaSettings, Settings, load_settings
from triage.local.processes import Child
from triage.local.stack import LocalStack, free_port
from triage.pipeline.window_counts.packing import pack_counts
from triage.schemas.counts import Watermark, WindowCount
from triage.topics import apply_topics

# (raw partition, records of the batch, its window counts)
Counted = tuple[int, int, list[WindowCount]]
_POLL_S = 0.2
_MOST_S = 240


@dataclass(frozen=True)
class Throughput:
    """Records, counts and messages per second of wall time, and records per second of processor time."""

    records: float
    counts: float
    by_processor: float
    messages: float


def through_faust(made: list[list[Counted]], seconds: int, raw_partitions: int, topic: str) -> Throughput:
    """Send the counts of `seconds` seconds, then start an alerter on one core and measure how long it takes."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder) / "stack") as endpoints:
        settings = load_settings(
            None,
            {
                "kafka.bootstrap_servers": endpoints.bootstrap_servers,
                "elasticsearch.url": endpoints.elasticsearch_url,
                "alerting.data_dir": Path(folder) / "alerter",
                "alerting.health_port": free_port(),
                "alerting.allowed_lateness_s": 0,
            },
        )
        apply_topics(settings.kafka)
        messages, counts, records = _send(settings, made, seconds, raw_partitions, topic)
        passed_s, used_s, merged = _run(settings, Path(folder), counts)
        share = merged / counts
        return Throughput(
            share * records / passed_s, merged / passed_s, share * records / used_s, share * messages / passed_s
        )


def _send(
    settings: Settings, made: list[list[Counted]], seconds: int, raw_partitions: int, topic: str
) -> tuple[int, int, int]:
    """Send everything; returns the numbers of messages, of counts that rules evaluate, and of records."""
    rules = load_alert_rules(settings.alerting)
    kafka: KafkaSettings = settings.kafka
    step_ms = settings.alerting.window_s * 1000
    # All event times are in the past, so that steps close during the run, as in live operation.
    first_ms = SystemClock().now_ms() - seconds * 1000
    producer = KafkaProducer(**kafka.client(), linger_ms=50, batch_size=1 << 18)
    counts_topic = kafka.topic("window-counts")
    partitions = len(producer.partitions_for(counts_topic))
    encoder = msgspec.json.Encoder()
    offsets = [0] * raw_partitions
    messages = counted = records = 0
    for second in range(seconds):
        now_ms = first_ms + second * 1000
        for partition, size, counts in made[second % len(made)]:
            stamped = [
                msgspec.structs.replace(
                    count,
                    window_start_ms=now_ms // step_ms * step_ms,
                    topic=kafka.topic(topic),
                    first_offset=offsets[partition],
                    last_offset=offsets[partition] + size - 1,
                )
                for count in counts
            ]
            offsets[partition] += size
            records += size
            counted += sum(rules.matches_any(count.dimensions) for count in stamped)
            for to, message in pack_counts(stamped, settings.alerting.group_by, partitions):
                producer.send(counts_topic, encoder.encode(message), partition=to)
                messages += 1
        for number, offset in enumerate(offsets):
            mark = Watermark(
                topic=kafka.topic(topic), partition=number, watermark_ms=now_ms, offset=offset, lag=0, at_ms=now_ms
            )
            for to in range(partitions):
                producer.send(counts_topic, encoder.encode(mark), partition=to)
                messages += 1
    producer.flush()
    producer.close()
    return messages, counted, records


def _run(settings: Settings, folder: Path, counts: int) -> tuple[float, float, float]:
    """Seconds from the first merged count to the last, processor seconds in this time, and counts merged in it."""
    environment = {
        "TRIAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "TRIAGE_ELASTICSEARCH__URL": settings.elasticsearch.url,
        "TRIAGE_ALERTING__DATA_DIR": str(settings.alerting.data_dir),
        "TRIAGE_ALERTING__HEALTH_PORT": str(settings.alerting.health_port),
        "TRIAGE_ALERTING__ALLOWED_LATENESS_S": "0",
    }
    child = Child("alerter", ["alerter"], environment, folder / "alerter.log")
    url = f"http://127.0.0.1:{settings.alerting.health_port}/metrics"
    try:
        os.sched_setaffinity(child.pid, {max(os.sched_getaffinity(0))})
        start: tuple[float, float, float] | None = None
        deadline = time.monotonic() + _MOST_S
        while time.monotonic() < deadline:
            child.check()
            now = _merged(url), time.monotonic(), _processor_s(child.pid)
            if start is None and now[0] > 0:
                start = now
            if start is not None and now[0] >= counts:
                return now[1] - start[1], now[2] - start[2], now[0] - start[0]
            time.sleep(_POLL_S)
        raise SystemExit(f"the alerter merged {_merged(url):,.0f} of {counts:,} counts within {_MOST_S} s")
    finally:
        child.ask_to_stop()
        child.wait()


def _merged(url: str) -> float:
    try:
        text = httpx.get(url, timeout=5).text
    except httpx.HTTPError:
        return 0.0
    return sum(float(value) for value in re.findall(r"^triage_window_counts_merged_total\{.*\} (\S+)$", text, re.M))


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
