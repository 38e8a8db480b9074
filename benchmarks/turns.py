"""`make bench NAME=turns`: time of a turn over HTTP, and memory of `triage serve`, at a rate of conversations.

`--rate` conversations begin each second, evenly, for `--seconds`; each has five turns, one per second, in English or
Chinese, and one in five asks for a person. A time counts from the moment at which the turn was due, so that a process
that falls behind is not flattered; the first five seconds are left out. The shipped model reads the texts,
conversations are in Elasticsearch. `--vectors` also loads the sentence encoder, which must be built. With
`--beside-worker` a worker reads a topic meanwhile. Use `--kafka` and `--elasticsearch` for real servers; without them
the small local ones are started.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.broker import add_stack_options, fresh_settings, open_stack
from benchmarks.report import Row, publish
from triage.clock import SystemClock
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index

TOKEN = "the-token-of-the-benchmark"
SCRIPTS = (
    ("I want a refund for my jacket", "112-3456789-0123456", "it is the wrong size", "not yet", "yes thanks"),
    ("快递三天了还没到", "订单号 112-3456789-0123456", "显示运输中", "5天", "好的谢谢"),
    ("I can't log in, the reset link never comes", "the code", "yes I tried", "no", "hello?"),
    ("我被重复扣款了", "112-3456789-0123456", "200元", "还在处理中", "可以"),
    ("my parcel is late and nobody answers", "112-3456789-0123456", "a human please", "hello?", "are you there"),
)
_WARM_UP_S, _TURN_EVERY_S, _START_S = 5.0, 1.0, 300.0


@dataclass
class Measured:
    """Milliseconds of each turn after the warm-up, turns that failed, and the process's memory in MiB."""

    turn_ms: list[float] = field(default_factory=list)
    failed: int = 0
    memory_mib: float = 0.0
    peak_mib: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--rate", type=float, default=20, help="conversations that begin each second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--vectors", action="store_true", help="with the sentence encoder")
    parser.add_argument("--beside-worker", action="store_true", help="with a worker that reads a topic")
    arguments = parser.parse_args()
    with open_stack(arguments) as flags, tempfile.TemporaryDirectory() as folder:
        settings = fresh_settings(flags)
        with connect(settings.elasticsearch) as client:
            apply(client, plan_index(client, settings.elasticsearch, SystemClock()))
        names = flags | {
            "kafka.topic_prefix": settings.kafka.topic_prefix,
            "elasticsearch.index_prefix": settings.elasticsearch.index_prefix,
            "elasticsearch.alerts_index": settings.elasticsearch.alerts_index,
            "worker.group": settings.worker.group,
            "worker.fleet": settings.worker.fleet,
            "worker.data_dir": folder,
            "assist.vectors": arguments.vectors,
        }
        with contextlib.ExitStack() as running:
            if arguments.beside_worker:
                running.enter_context(_process("worker", names, folder))
            found = running.enter_context(_served(names, folder))
            measured = asyncio.run(measure(found.url, arguments.rate, arguments.seconds))
            measured.memory_mib, measured.peak_mib = memory_of(found.pid)
    publish("turns", rows_of(measured, arguments.rate))


def rows_of(measured: Measured, rate: float) -> list[Row]:
    """The rows of the results: quantiles of the time of a turn, and memory of the process."""
    times = sorted(measured.turn_ms)
    more = {"turns": float(len(times)), "failed": float(measured.failed), "conversations/s": rate}
    rows = [
        Row(name, "ms", times[0], times[int(share * (len(times) - 1))], times[-1], 1, more)
        for name, share in (("p50 of a turn", 0.5), ("p95 of a turn", 0.95), ("p99 of a turn", 0.99))
        if times
    ]
    rows.append(Row("memory of the process", "MiB", measured.memory_mib, measured.memory_mib, measured.peak_mib, 1))
    return rows


async def measure(url: str, rate: float, seconds: float) -> Measured:
    """Hold `rate` new conversations per second at the API `url` for `seconds`, and return the times of their turns."""
    found = Measured()
    loop = asyncio.get_running_loop()
    begun = loop.time() + 0.5
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits) as client:

        async def talk(number: int) -> None:
            at = begun + number / rate
            for turn, text in enumerate(SCRIPTS[number % len(SCRIPTS)], 1):
                due = at + (turn - 1) * _TURN_EVERY_S
                await asyncio.sleep(max(0.0, due - loop.time()))
                body = {"turn": turn, "from": "customer", "text": text}
                try:
                    answer = await client.post(f"/v1/conversations/bench-{number}/turns", json=body)
                    ended = answer.status_code == 409
                except httpx.HTTPError:
                    found.failed += 1
                    return
                if ended:  # the bot has closed it
                    return
                if answer.status_code != 200:
                    found.failed += 1
                elif due - begun >= _WARM_UP_S:
                    found.turn_ms.append((loop.time() - due) * 1000)

        await asyncio.gather(*(talk(number) for number in range(int(rate * seconds))))
    return found


def memory_of(pid: int) -> tuple[float, float]:
    """Resident memory of a process now and at its peak, in MiB; 0 where the system does not say."""
    with contextlib.suppress(OSError):
        lines = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Vm")
        )
        now, peak = (float(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return now, peak
    return 0.0, 0.0


@dataclass(frozen=True)
class Served:
    """The address and process of a running API."""

    url: str
    pid: int


@contextlib.contextmanager
def _served(names: dict[str, Any], folder: str) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    tokens = json.dumps([{"name": "bench", "role": "operator", "token": TOKEN}])
    flags = names | {"api.port": port, "api.tokens": tokens, "api.records_per_minute": 1_000_000}
    with _process("serve", flags, folder) as process:
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + _START_S
        while not _is_live(url):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(Path(folder, "serve.log").read_text("utf-8", "replace")[-3_000:])
            time.sleep(0.5)
        yield Served(url, process.pid)


@contextlib.contextmanager
def _process(command: str, flags: dict[str, Any], folder: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {f"TRIAGE_{name.upper().replace('.', '__')}": str(value) for name, value in flags.items()}
    with Path(folder, f"{command}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "triage", command],
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _is_live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
