"""`python -m benchmarks.pipeline`: records per second, and latency from produce to acknowledgement by Elasticsearch.

Contenders: the worker of triage; the typical demo (a kafka-python loop, three Hugging Face pipelines one text at a
time, one index call per record); Quix Streams 3 and a Faust agent with the model and the bulk sink of triage, both as
in their documentation (one record at a time) and with manual batches for the model. Rates are measured on a backlog,
from the first acknowledged write to the last; latency is measured at 70 % of that rate.

Quix Streams needs other versions of this project's dependencies, and the demo needs torch: give the Python of an
environment with this project and `quixstreams>=3,<4` by --rivals-python, and of one with torch and transformers
(`make setup-train`) by --torch-python. A contender that cannot run is named and left out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from benchmarks.broker import add_stack_options, fresh_settings, open_stack, produce, sample_records
from benchmarks.pipeline_plan import READY, RESULT, Outcome, Plan
from benchmarks.report import ROOT, Row, publish
from triage.clock import SystemClock
from triage.config import Settings
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.plan import apply as apply_index
from triage.elastic.plan import plan_index
from triage.inference.manifest import TOKENIZER_FILE
from triage.inference.registry import find_folder

NAMES = {
    "triage": "triage",
    "quix": "Quix Streams 3, one record at a time",
    "quix batched": "Quix Streams 3, batched by hand",
    "faust": "Faust agent, one record at a time",
    "faust batched": "Faust agent, take() by hand",
    "demo": "typical demo",
}
# The encoder of the served model, for pipelines that cost as much.
_ENCODER = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 1536}
_START_S = 120.0
LOAD = 0.7


class ContenderUnavailable(Exception):  # noqa: N818 - a reason to leave a contender out, not an error
    """A contender cannot run here; the message gives the reason."""


class ContenderProcess:
    """The process of a contender: ready when `wait_ready` returns, finished when `outcome` returns."""

    def __init__(self, name: str, plan: Plan, python: str, log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [python, "-m", "benchmarks.pipeline_contenders", name],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, text=True,
                env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
            )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(plan.line())
        self._process.stdin.flush()

    def wait_ready(self) -> None:
        self._line(READY)

    def outcome(self, timeout_s: float) -> Outcome:
        """Result of the process. Raises ContenderUnavailable if it ends without one, or has none after `timeout_s`."""
        timer = threading.Timer(timeout_s, self._process.kill)
        timer.start()
        try:
            return Outcome(**json.loads(self._line(RESULT).removeprefix(RESULT)))
        except ContenderUnavailable as why:
            raise (why if timer.is_alive() else ContenderUnavailable(f"did not end within {timeout_s:g} s")) from None
        finally:
            timer.cancel()
            self.end()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _line(self, prefix: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(prefix.strip()):
                return line
        tail = self._log.read_text("utf-8", "replace").strip().splitlines()[-3:]
        raise ContenderUnavailable(f"its process ended: {' | '.join(tail)[-500:]}")


def index_settings(flags: dict[str, Any], partitions: int | None = None) -> Settings:
    """Settings with new topics and a new index, created and ready."""
    settings = fresh_settings(flags, partitions)
    client = connect(settings.elasticsearch)
    wait_until_ready(client, settings.elasticsearch, SystemClock())
    apply_index(client, plan_index(client, settings.elasticsearch, SystemClock()))
    client.close()
    return settings


def flags_of(settings: Settings, more: dict[str, Any]) -> dict[str, Any]:
    return more | {
        "kafka.bootstrap_servers": settings.kafka.bootstrap_servers,
        "kafka.topic_prefix": settings.kafka.topic_prefix,
        "elasticsearch.url": settings.elasticsearch.url,
        "elasticsearch.index_prefix": settings.elasticsearch.index_prefix,
        "elasticsearch.alerts_index": settings.elasticsearch.alerts_index,
        "worker.group": settings.worker.group,
        "worker.fleet": settings.worker.fleet,
        "worker.channels": ["complaint"],
    }


class Arena:
    """Runs contenders one after the other on the same Kafka and Elasticsearch."""

    def __init__(self, arguments: argparse.Namespace, stack: dict[str, Any], logs: Path) -> None:
        self._arguments = arguments
        self._stack = stack
        self._logs = logs
        self._model = {"model.path": arguments.model} if arguments.model else {}

    def backlog(self, name: str, records: int) -> Outcome:
        """Let the contender `name` process a backlog of `records` records."""
        settings = index_settings(self._stack | self._model)
        payloads = [payload for _, payload in sample_records(records)]
        produce(settings, "complaints", payloads)
        contender = self._start(name, settings, len(payloads))
        contender.wait_ready()
        return contender.outcome(self._arguments.timeout)

    def live(self, name: str, rate: float, seconds: float) -> Outcome:
        """Let the contender `name` process live traffic of `rate` records per second for `seconds`."""
        settings = index_settings(self._stack | self._model)
        payloads = [payload for _, payload in sample_records(max(10, int(rate * seconds)))]
        contender = self._start(name, settings, len(payloads))
        contender.wait_ready()
        # Joining the group takes time, which must not count as latency.
        time.sleep(self._arguments.settle)
        feed_evenly(settings, payloads, rate)
        return contender.outcome(self._arguments.timeout)

    def _start(self, name: str, settings: Settings, total: int) -> ContenderProcess:
        flags = flags_of(settings, self._model)
        python = sys.executable
        if name == "demo":
            python = self._arguments.torch_python
            flags |= {
                "demo.tokenizer": str(find_folder(settings.model) / TOKENIZER_FILE),
                "demo.encoder": _ENCODER if not self._arguments.model else _ENCODER | {"num_hidden_layers": 1},
            }
        elif name.startswith("quix"):
            python = self._arguments.rivals_python
        return ContenderProcess(name, Plan(flags, total), python, self._logs / f"{name}.log")


def feed_evenly(settings: Settings, payloads: list[bytes], rate: float) -> None:
    """Produce the payloads at a constant rate (records per second), each within 10 ms of its time."""
    # One request per record would take processor time from the contenders.
    producer = KafkaProducer(**settings.kafka.client(), linger_ms=10)
    topic, started = settings.kafka.topic("complaints"), time.monotonic()
    try:
        for number, payload in enumerate(payloads):
            while (early := started + number / rate - time.monotonic()) > 0:
                time.sleep(early)
            producer.send(topic, payload)
        producer.flush()
    finally:
        producer.close()


def measure(arena: Arena, arguments: argparse.Namespace) -> Iterator[Row]:
    for name in arguments.contenders:
        records = arguments.demo_records if name == "demo" else arguments.records
        try:
            outcomes = [arena.backlog(name, records) for _ in range(arguments.rounds)]
            rates = [outcome.rate for outcome in outcomes]
            yield Row.of(NAMES[name], "records/s", rates)
            steady = arguments.load * sorted(rates)[len(rates) // 2]
            live = arena.live(name, steady, arguments.seconds)
        except ContenderUnavailable as why:
            sys.stderr.write(f"left out: {NAMES[name]}: {why}\n")
            continue
        for percentile, latency in live.latencies_ms.items():
            yield Row.of(f"{NAMES[name]}: latency at {arguments.load:.0%} load, {percentile}", "ms", [latency])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=3_000, help="records of the contenders' backlog")
    parser.add_argument("--demo-records", type=int, default=150, help="records of the demo's backlog")
    parser.add_argument("--seconds", type=float, default=15, help="duration of live traffic")
    parser.add_argument("--load", type=float, default=LOAD, help="of live traffic, as a share of the backlog's rate")
    parser.add_argument("--settle", type=float, default=5, help="seconds between start and live traffic")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=300, help="most seconds of a run")
    parser.add_argument("--contenders", nargs="+", choices=list(NAMES), default=list(NAMES))
    parser.add_argument("--model", help="model folder; default: the one that serves")
    parser.add_argument("--rivals-python", default=sys.executable, help="has this project and quixstreams")
    parser.add_argument("--torch-python", default=sys.executable, help="has torch and transformers")
    add_stack_options(parser)
    arguments = parser.parse_args()
    rows: list[Row] = []
    with open_stack(arguments) as stack, tempfile.TemporaryDirectory() as logs:
        rows.extend(measure(Arena(arguments, stack, Path(logs)), arguments))
    publish("pipeline", rows)


if __name__ == "__main__":
    main()
