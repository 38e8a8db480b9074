"""Monitors a run from outside: committed progress, and memory, threads and open files of every process."""

import collections
import contextlib
import csv
import os
import threading
import time
from pathlib import Path
from typing import Any

from chaos.fleet import SupervisedFleet
from harness import RAW, Fleet
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from triage.topics.kafka_types import Consumer, TopicPartition

INTERVAL_S = 0.5
STEADY_S = 2.0
PAGE = os.sysconf("SC_PAGE_SIZE")
# At its end a process may have this much more than its maximum in the first half of its life.
MIN_LIFE_S = 90.0
# More rows than the processes of two samples.
_ROLES = 24
ALLOWED = {"MiB": 64, "threads": 4, "files": 12}


class Progress(threading.Thread):
    """(monotonic seconds, records committed by the group), twice a second while Kafka answers."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(name="progress", daemon=True)
        self.samples: list[tuple[float, int]] = []
        self._fleet = fleet
        self._closed = threading.Event()

    def run(self) -> None:
        consumer: Consumer = KafkaConsumer(
            bootstrap_servers=self._fleet.settings.kafka.bootstrap_servers,
            group_id=self._fleet.settings.worker.group,
            enable_auto_commit=False,
            request_timeout_ms=5_000,
        )
        partitions = [
            TopicPartition(topic, number)
            for topic in map(self._fleet.settings.kafka.topic, RAW)
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        while not self._closed.wait(INTERVAL_S):
            with contextlib.suppress(KafkaError):
                done = sum(consumer.committed(partition, timeout_ms=3_000) or 0 for partition in partitions)
                self.samples.append((time.monotonic(), done))
        consumer.close(autocommit=False)

    def close(self) -> None:
        self._closed.set()
        if self.ident:
            self.join(30)

    def recovery(self, lifted_s: float, rate: float) -> float | None:
        """Seconds from `lifted_s` to the start of `STEADY_S` seconds in which nine tenths of `rate` are committed; None
        if there were none."""
        after = [sample for sample in list(self.samples) if sample[0] >= lifted_s - INTERVAL_S]
        for at, (start_s, done) in enumerate(after):
            end = next((sample for sample in after[at:] if sample[0] >= start_s + STEADY_S), None)
            if end is None:
                return None
            if end[1] - done >= 0.9 * rate * (end[0] - start_s):
                return max(0.0, start_s - lifted_s)
        return None


class Resources(threading.Thread):
    """Samples /proc of every process of the fleet; `rows` are (seconds, role, pid, resident MiB, threads, files)."""

    def __init__(self, fleet: SupervisedFleet | None, interval_s: float = 2.0, path: Path | None = None) -> None:
        super().__init__(name="resources", daemon=True)
        self.rows: list[tuple[Any, ...]] = []
        self._fleet = fleet
        self._interval_s = interval_s
        self._path = path
        self._closed = threading.Event()

    def run(self) -> None:
        assert self._fleet is not None
        started = time.monotonic()
        with contextlib.ExitStack() as ends:
            out = ends.enter_context(self._path.open("w", newline="")) if self._path else None
            writer = csv.writer(out) if out else None
            if writer:
                writer.writerow(["seconds", "role", "pid", "resident_mib", "threads", "open_files"])
            while not self._closed.wait(self._interval_s):
                for role, process in list(self._fleet.processes.items()):
                    with contextlib.suppress(OSError, IndexError):
                        row = (round(time.monotonic() - started, 1), role, process.pid, *usage(process.pid))
                        self.rows.append(row)
                        if writer:
                            writer.writerow(row)
                if out:
                    out.flush()

    def close(self) -> None:
        self._closed.set()
        if self.ident:
            self.join(10)

    def now(self) -> str:
        """The latest sample of every process, as one line: `a 203 MiB 12 threads 27 files, alerter ...`."""
        latest = {row[1]: row for row in self.rows[-_ROLES:]}
        return ", ".join(
            f"{role} {mib:.0f} MiB {threads} threads {files} files"
            for role, (_, _, _, mib, threads, files) in sorted(latest.items())
        )

    def maxima(self) -> dict[str, list[float]]:
        """{role kind: maximum of (resident MiB, threads, files)}."""
        maxima: dict[str, list[float]] = {}
        for _, role, _, *values in self.rows:
            kind = "alerter" if role == "alerter" else "worker"
            maxima[kind] = [max(pair) for pair in zip(maxima.get(kind, [0, 0, 0]), values, strict=True)]
        return maxima

    def grown(self) -> list[str]:
        """Problems: processes that ended with more than they had in the first half of their life."""
        lives: dict[tuple[Any, ...], list[tuple[Any, ...]]] = collections.defaultdict(list)
        for row in self.rows:
            lives[row[1:3]].append(row)
        problems = []
        for (role, pid), rows in lives.items():
            lived_s = rows[-1][0] - rows[0][0]
            if lived_s < MIN_LIFE_S:
                continue
            first_half = [row[3:] for row in rows if row[0] - rows[0][0] <= lived_s / 2]
            before = [max(values) for values in zip(*first_half, strict=True)]
            # The minimum of the last samples: a connection that is being opened is not a leak.
            after = [min(values) for values in zip(*(row[3:] for row in rows[-5:]), strict=True)]
            problems += [
                f"{role} ({pid}) grew from {was} to {now} {what} in {lived_s:.0f} s"
                for (what, allowed), was, now in zip(ALLOWED.items(), before, after, strict=True)
                if now > was + allowed
            ]
        return problems


def usage(pid: int) -> tuple[float, int, int]:
    """(resident MiB, threads, open files) of a process."""
    folder = Path(f"/proc/{pid}")
    resident = int((folder / "statm").read_text().split()[1]) * PAGE / 2**20
    return round(resident, 1), sum(1 for _ in (folder / "task").iterdir()), sum(1 for _ in (folder / "fd").iterdir())
