"""An alerter in a process of its own, fed with window counts, with a receiver of its pages."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from triage.config import load_settings
from triage.local.stack import Endpoints
from triage.pipeline.window_counts.packing import pack_counts
from triage.schemas.alert import Alert
from triage.schemas.counts import CountMessage, Watermark, WindowCount, dimension_key
from triage.topics import apply_topics
from triage.topics.kafka_types import ConsumerRecord

STEP_MS = 10_000
RULES: dict[str, Any] = {
    "version": 1,
    "rules": [
        {
            "name": "intent-spike",
            "dimension": ["intent"],
            "window_s": 20,
            "static": {"share_at_least": 0.5, "count_at_least": 10},
            "resolve_after": 2,
            "severity": "critical",
            "runbook": "https://runbooks.example/delivery",
        },
        {
            "name": "brand-spike",
            "dimension": ["brand"],
            "window_s": 20,
            "static": {"share_at_least": 0.5, "count_at_least": 10},
            "resolve_after": 2,
        },
    ],
}


_Found = TypeVar("_Found")


class Receiver:
    """A webhook on 127.0.0.1 that answers after `delay_s`.

    While `status` is not 200, every post is refused with it and kept in `refused`.
    """

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.status = 200
        self.delay_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                time.sleep(receiver.delay_s)
                status = receiver.status
                (receiver.pages if status == 200 else receiver.refused).append(body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def events(self) -> list[tuple[str, str]]:
        """What a receiver that deduplicates by key and event has seen, in order."""
        seen: list[tuple[str, str]] = []
        for page in list(self.pages):
            if (page["dedup_key"], page["event"]) not in seen:
                seen.append((page["dedup_key"], page["event"]))
        return seen

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Rig:
    """Topics of its own, a producer in place of workers, and alerters as processes."""

    def __init__(self, stack: Endpoints, prefix: str, folder: Path, **settings: Any) -> None:
        self.receiver = Receiver()
        self.folder = folder
        rules = self.rules = folder / "alert-rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        self.flags: dict[str, Any] = {
            "kafka.bootstrap_servers": stack.bootstrap_servers,
            "kafka.topic_prefix": prefix,
            "elasticsearch.url": stack.elasticsearch_url,
            "elasticsearch.index_prefix": prefix,
            "elasticsearch.alerts_index": f"{prefix}_alerts",
            "worker.channels": ["complaint"],
            "alerting.rules": str(rules),
            "alerting.data_dir": str(folder / "alerter"),
            "alerting.window_s": STEP_MS // 1000,
            "alerting.allowed_lateness_s": 0,
            "alerting.group_wait_s": 0,
            "alerting.group_interval_s": 0,
            "alerting.webhook_url": self.receiver.url,
            "alerting.notify_backoff_initial_s": 0.1,
            "alerting.notify_backoff_max_s": 0.5,
            "alerting.session_timeout_s": 6,
            "logging.format": "json",
        } | settings
        self.settings = load_settings(None, self.flags)
        apply_topics(self.settings.kafka)
        self.raw = self.settings.kafka.topic("complaints")
        self.counts = self.settings.kafka.topic("window-counts")
        self._producer = KafkaProducer(
            **self.settings.kafka.client(), transactional_id=f"{prefix}-rig", transaction_timeout_ms=20_000
        )
        self._producer.init_transactions()
        self._partitions = sorted(self._producer.partitions_for(self.counts))
        self._raw_partitions = range(3)
        self._offsets: dict[int, int] = {}
        self.processes: list[subprocess.Popen[bytes]] = []
        # Long enough ago that the windows can close, recent enough to be paged.
        self.start_ms = (int(time.time() * 1000) - 3_600_000) // STEP_MS * STEP_MS

    def feed(
        self,
        step: int,
        counts: Mapping[str, tuple[int, int]],
        *,
        field: str = "intent",
        partition: int = 0,
        abort: bool = False,
    ) -> None:
        """Counts of one step, as a worker publishes them: {value of the field: (negative, total)}."""
        first = self._offsets.get(partition, 0)
        self._offsets[partition] = first + 1000
        messages = [
            WindowCount(
                window_start_ms=self.start_ms + step * STEP_MS,
                window_ms=STEP_MS,
                key=dimension_key({field: value}),
                dimensions={field: value},
                negative=negative,
                total=total,
                topic=self.raw,
                partition=partition,
                first_offset=first,
                last_offset=first + 999,
            )
            for value, (negative, total) in counts.items()
        ]
        packed = pack_counts(messages, "brand", len(self._partitions))
        self._send([(None, message, partition) for partition, message in packed], abort=abort)

    def watermark(self, step: int, partitions: Iterable[int] | None = None) -> None:
        """These raw partitions, all by default, have been counted up to the start of a step."""
        marks = [
            Watermark(
                topic=self.raw,
                partition=partition,
                watermark_ms=self.start_ms + step * STEP_MS,
                offset=self._offsets.get(partition, 0),
                lag=0,
                at_ms=int(time.time() * 1000),
            )
            for partition in (self._raw_partitions if partitions is None else partitions)
        ]
        self._send([(None, mark, partition) for mark in marks for partition in self._partitions])

    def _send(self, messages: Iterable[tuple[bytes | None, CountMessage, int]], *, abort: bool = False) -> None:
        self._producer.begin_transaction()
        for key, message, partition in messages:
            self._producer.send(self.counts, key=key, value=msgspec.json.encode(message), partition=partition)
        self._producer.flush()
        if abort:
            self._producer.abort_transaction()
        else:
            self._producer.commit_transaction()

    def start(self, instance: str = "0", **flags: Any) -> subprocess.Popen[bytes]:
        return self.spawn(instance, **flags)

    def spawn(self, instance: str = "0", **flags: Any) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
        for name, value in (self.flags | {"alerting.instance": instance} | flags).items():
            text = value if isinstance(value, str) else json.dumps(value)
            environment[f"TRIAGE_{name.upper().replace('.', '__')}"] = text
        with self.log_of(instance).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-W", "error::RuntimeWarning", "-m", "triage", "alerter"],
                env=environment,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            )
        self.processes.append(process)
        return process

    def log_of(self, instance: str = "0") -> Path:
        return self.folder / f"alerter-{instance}.log"

    def log(self, instance: str = "0") -> str:
        return self.log_of(instance).read_text("utf-8", "replace")

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            logs = {path.name: path.read_text()[-4000:] for path in self.folder.glob("alerter-*.log")}
            assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s; {logs}"
            time.sleep(0.1)

    def wait_for(self, found: Callable[[], _Found], what: str, timeout_s: float = 60) -> _Found:
        """The first true value of `found()`."""
        self.wait(found, what, timeout_s)
        return found()

    def wait_events(self, *events: str, timeout_s: float = 60) -> None:
        """Wait until the receiver has seen exactly these events, by name."""
        expected = list(events)
        self.wait(lambda: [event for _, event in self.receiver.events()] == expected, f"pages {expected}", timeout_s)

    def wait_log(self, text: str, instance: str = "0", times: int = 1, timeout_s: float = 60) -> None:
        self.wait(lambda: self.log(instance).count(text) >= times, f"{text} in the log", timeout_s)

    def alerts(self) -> list[Alert]:
        """Everything on the alerts topic, in order."""
        topic = self.settings.kafka.topic("alerts")
        consumer = KafkaConsumer(**self.settings.kafka.client())
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        records: list[ConsumerRecord] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            records += chain.from_iterable(consumer.poll(500).values())
        consumer.close()
        return [msgspec.json.decode(record.value or b"", type=Alert) for record in records]

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        with contextlib.suppress(Exception):
            self._producer.close(timeout=5)
        self.receiver.close()
        self._remove()

    def _remove(self) -> None:
        """Remove what this rig created on a shared stack."""
        kafka, elasticsearch = self.settings.kafka, self.settings.elasticsearch
        admin = KafkaAdminClient(**kafka.client())
        admin.delete_topics([name for name in admin.list_topics() if name.startswith(f"{kafka.topic_prefix}.")])
        admin.close()
        httpx.delete(f"{elasticsearch.url}/{elasticsearch.alerts_index}", timeout=60)


def end(process: subprocess.Popen[bytes], timeout_s: float = 60) -> int:
    """SIGTERM; returns the exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout_s)
