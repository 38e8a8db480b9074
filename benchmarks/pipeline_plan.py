"""Messages between the end-to-end benchmark and the processes of its contenders: JSON on standard input and output."""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

READY, RESULT = "READY", "RESULT "
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Plan:
    """Plan of a run: settings as `flags`, the number of records after which it ends, and the sink.

    `index` is elasticsearch or null; `core` pins the process to a core.
    """

    flags: dict[str, Any]
    total: int
    slot: str = "0"
    index: str = "elasticsearch"
    core: int | None = None

    @classmethod
    def read(cls) -> "Plan":
        return cls(**json.loads(sys.stdin.readline()))

    def line(self) -> str:
        return json.dumps(asdict(self)) + "\n"


@dataclass
class Outcome:
    """Result of a run: records written, `first_records` of them by the first write, and latencies by percentile.

    `first_s` and `last_s` are the times of the first and the last acknowledged write (Unix time in s).
    """

    records: int = 0
    first_records: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Records per second from the first acknowledged write to the last, without the start-up."""
        seconds = self.last_s - self.first_s
        return (self.records - self.first_records) / seconds if seconds > 0 else 0.0


class Meter:
    """Measures the latency of every acknowledged write, from the broker's timestamp of each record."""

    def __init__(self, total: int, done: Any = None) -> None:
        self._total = total
        self._done = done
        self._lock = threading.Lock()
        self.outcome = Outcome()
        self._latencies: list[np.ndarray] = []

    def acknowledged(self, timestamps_ms: Sequence[int]) -> None:
        """Count the records with these broker timestamps (ms) as written to the index now."""
        now = time.time()
        with self._lock:
            outcome = self.outcome
            outcome.records += len(timestamps_ms)
            if not outcome.first_s:
                outcome.first_s, outcome.first_records = now, len(timestamps_ms)
            outcome.last_s = now
            self._latencies.append(now * 1000 - np.asarray(timestamps_ms, dtype=np.float64))
            if outcome.records >= self._total and self._done:
                self._done()

    @property
    def full(self) -> bool:
        return self.outcome.records >= self._total

    def report(self) -> None:
        """Write the outcome to standard output; the first tenth of the latencies is left out."""
        latencies = np.concatenate(self._latencies) if self._latencies else np.zeros(1)
        kept = latencies[len(latencies) // 10 :]
        percentiles = np.percentile(kept, PERCENTILES).tolist()
        self.outcome.latencies_ms = {f"p{p}": value for p, value in zip(PERCENTILES, percentiles, strict=True)}
        sys.stdout.write(RESULT + json.dumps(asdict(self.outcome)) + "\n")
        sys.stdout.flush()


def say_ready() -> None:
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()


def end() -> None:
    """Exit the process at once, without waiting for the threads of the measured libraries."""
    sys.stdout.flush()
    os._exit(0)
