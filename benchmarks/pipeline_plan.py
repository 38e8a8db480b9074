"""What a contender of the end-to-end benchmark is told and what it says: a process each, JSON in and out."""

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
    """`flags` are settings; it ends after `total` records, or when another process ends it. `index`: or `null`."""

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
    """Times are of the wall clock in seconds: of the first acknowledged write, of the last, and what lay between."""

    records: int = 0
    first_records: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Records a second from the first acknowledged write to the last; what starts up before it is left out."""
        seconds = self.last_s - self.first_s
        return (self.records - self.first_records) / seconds if seconds > 0 else 0.0


class Meter:
    """Takes the time of every write that the index acknowledged, from the broker's timestamp of each record."""

    def __init__(self, total: int, done: Any = None) -> None:
        self._total = total
        self._done = done
        self._lock = threading.Lock()
        self.outcome = Outcome()
        self._latencies: list[np.ndarray] = []

    def acknowledged(self, timestamps_ms: Sequence[int]) -> None:
        """Records with these timestamps are in the index now."""
        now = time.time()
        with self._lock:
            said = self.outcome
            said.records += len(timestamps_ms)
            if not said.first_s:
                said.first_s, said.first_records = now, len(timestamps_ms)
            said.last_s = now
            self._latencies.append(now * 1000 - np.asarray(timestamps_ms, dtype=np.float64))
            if said.records >= self._total and self._done:
                self._done()

    @property
    def full(self) -> bool:
        return self.outcome.records >= self._total

    def report(self) -> None:
        """Say what was measured, the first tenth of the latencies left out."""
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
    """End at once: threads of libraries that were measured need not agree."""
    sys.stdout.flush()
    os._exit(0)
