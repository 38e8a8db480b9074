"""The alerter as a process on one core, reading window counts from a local Kafka: what Faust and the network cost."""

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

# Of the counts that a batch makes: (raw partition, records of the batch, its counts).
Counted = tuple[int, int, list[WindowCount]]
_POLL_S = 0.2
_MOST_S = 240


@dataclass(frozen=True)
class Taken:
    """Records and messages a second of the clock, and records a second of the alerter's processor time."""

    records: float
    by_processor: float
    messages: float


def through_faust(made: list[list[Counted]], seconds: int, raw_partitions: int, topic: str) -> Taken:
    """Send the counts of so many seconds, then start an alerter on one core and see how long it takes for them."""
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
        messages, judged, records = _send(settings, made, seconds, raw_partitions, topic)
        passed_s, used_s, taken = _run(settings, Path(folder), judged)
        share = taken / judged
        return Taken(share * records / passed_s, share * records / used_s, share * messages / passed_s)


def _send(
    settings: Settings, made: list[list[Counted]], seconds: int, raw_partitions: int, topic: str
) -> tuple[int, int, int]:
    """Messages, counts that rules judge, and records."""
    rules = load_alert_rules(settings.alerting)
    kafka: KafkaSettings = settings.kafka
    step_ms = settings.alerting.window_s * 1000
    # All of it lies in the past, so that steps close on the way as they do live.
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
            counted += sum(rules.concern(count.dimensions) for count in stamped)
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
    """Seconds from the first count taken to the last, processor seconds in them, and counts taken in them."""
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
        begun: tuple[float, float, float] | None = None
        deadline = time.monotonic() + _MOST_S
        while time.monotonic() < deadline:
            child.check()
            seen = _merged(url), time.monotonic(), _processor_s(child.pid)
            if begun is None and seen[0] > 0:
                begun = seen
            if begun is not None and seen[0] >= counts:
                return seen[1] - begun[1], seen[2] - begun[2], seen[0] - begun[0]
            time.sleep(_POLL_S)
        raise SystemExit(f"the alerter took {_merged(url):,.0f} of {counts:,} counts within {_MOST_S} s")
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
