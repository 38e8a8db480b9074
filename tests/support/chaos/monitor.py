"""Watches a run from outside: committed progress, and memory, threads and open files of every process."""

import collections
import contextlib
import csv
import os
import threading
import time
from pathlib import Path

from harness import RAW
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

INTERVAL_S = 0.5
STEADY_S = 2.0
PAGE = os.sysconf("SC_PAGE_SIZE")
# What a process has at its end may be so much more than the most that it had in the first half of its life.
LIVED_S = 90.0
ALLOWED = {"MiB": 64, "threads": 4, "files": 12}


class Progress(threading.Thread):
    """(monotonic seconds, records committed by the group), twice a second while Kafka answers."""

    def __init__(self, fleet):
        super().__init__(name="progress", daemon=True)
        self.samples = []
        self._fleet = fleet
        self._closed = threading.Event()

    def run(self):
        consumer = KafkaConsumer(
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

    def close(self):
        self._closed.set()
        if self.ident:
            self.join(30)

    def recovery(self, lifted_s, rate):
        """Seconds from `lifted_s` until `STEADY_S` seconds begin in which nine tenths of `rate` are committed, or the
        backlog is worked off; None if that never came."""
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

    def __init__(self, fleet, interval_s=2.0, path: Path | None = None):
        super().__init__(name="resources", daemon=True)
        self.rows = []
        self._fleet = fleet
        self._interval_s = interval_s
        self._path = path
        self._closed = threading.Event()

    def run(self):
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

    def close(self):
        self._closed.set()
        if self.ident:
            self.join(10)

    def most(self):
        """{role kind: most (resident MiB, threads, files)}."""
        most = {}
        for _, role, _, *values in self.rows:
            kind = "alerter" if role == "alerter" else "worker"
            most[kind] = [max(pair) for pair in zip(most.get(kind, [0, 0, 0]), values, strict=True)]
        return most

    def grown(self):
        """Processes that lived for a while and ended with more than they had in the first half of it, as problems."""
        lives = collections.defaultdict(list)
        for row in self.rows:
            lives[row[1:3]].append(row)
        problems = []
        for (role, pid), rows in lives.items():
            lived_s = rows[-1][0] - rows[0][0]
            if lived_s < LIVED_S:
                continue
            first_half = [row[3:] for row in rows if row[0] - rows[0][0] <= lived_s / 2]
            before = [max(values) for values in zip(*first_half, strict=True)]
            # The least of the last samples: a connection that is being made is no leak.
            after = [min(values) for values in zip(*(row[3:] for row in rows[-5:]), strict=True)]
            problems += [
                f"{role} ({pid}) grew from {was} to {now} {what} in {lived_s:.0f} s"
                for (what, allowed), was, now in zip(ALLOWED.items(), before, after, strict=True)
                if now > was + allowed
            ]
        return problems


def usage(pid):
    """(resident MiB, threads, open files) of a process."""
    folder = Path(f"/proc/{pid}")
    resident = int((folder / "statm").read_text().split()[1]) * PAGE / 2**20
    return round(resident, 1), sum(1 for _ in (folder / "task").iterdir()), sum(1 for _ in (folder / "fd").iterdir())
