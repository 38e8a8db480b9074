"""Workers and an alerter as processes, kept alive by a supervisor, as in production."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from alerter_rig import Receiver
from chaos.stack import Stack
from checkout import ROOT
from harness import Fleet

from triage.topics.definitions import TopicDefinition, load_definitions
from triage.topics.kafka_types import ConsumerRecord

RESTART_AFTER_S = 0.5
STAND_IN = Path(__file__).with_name("stand_in.py")
STEP_S = 10
RULES = {
    "version": 1,
    "rules": [
        {
            "name": "brand-spike",
            "dimension": ["brand"],
            "window_s": 60,
            "static": {"share_at_least": 0.9, "count_at_least": 40},
            "resolve_after": 2,
            "severity": "critical",
        }
    ],
}


class SupervisedFleet(Fleet):
    """`roles` are the processes that should run: slots of workers, and `alerter`. One that ends is started again.

    `checkouts` maps roles to the checkout whose version they run; the others run this one.
    """

    def __init__(self, stack: Stack, prefix: str, tmp_path: Path, **flags: Any) -> None:
        self.receiver = Receiver()
        rules = tmp_path / "alert-rules.yaml"
        rules.write_text(yaml.safe_dump(RULES))
        super().__init__(
            stack.direct,
            prefix,
            tmp_path,
            **{
                "worker.data_dir": tmp_path / "data",
                "worker.backoff_max_s": 1,
                "kafka.request_timeout_ms": 15_000,
                "kafka.start_timeout_s": 300,
                "elasticsearch.request_timeout_s": 10,
                "elasticsearch.start_timeout_s": 300,
                "alerting.rules": rules,
                "alerting.data_dir": tmp_path / "alerter",
                "alerting.window_s": STEP_S,
                "alerting.group_wait_s": 0,
                "alerting.dimensions": [[], ["brand"]],
                "alerting.allowed_lateness_s": 20,
                "alerting.webhook_url": self.receiver.url,
                "alerting.notify_backoff_initial_s": 0.2,
                "alerting.notify_backoff_max_s": 2,
                "alerting.session_timeout_s": 6,
                "elasticsearch.replicas": int(stack.clustered),
            }
            | flags,
        )
        self._clustered = stack.clustered
        self._via = {
            "kafka.bootstrap_servers": stack.proxied.bootstrap_servers,
            "elasticsearch.url": stack.proxied.elasticsearch_url,
        }
        self.clock_file = tmp_path / "clock"
        self.clock_file.write_text("0")
        self.roles: set[str] = set()
        self.checkouts: dict[str, Path] = {}
        # (monotonic seconds, role, status, seconds it ran)
        self.exits: list[tuple[float, str, int, float]] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # Raw records that were deleted, and True for those that no worker had read.
        self.expired: list[tuple[ConsumerRecord, bool]] = []
        self._since: dict[str, float] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def definitions(self) -> list[TopicDefinition]:
        """The topics of the local environment; on a cluster with three replicas, two in sync, as in production."""
        found = load_definitions(self.settings.kafka)
        if not self._clustered:
            return found
        return [
            replace(topic, replication_factor=3, config={**topic.config, "min.insync.replicas": "2"}) for topic in found
        ]

    def launch(self, workers: Iterable[str], *, alerter: bool = True) -> None:
        for slot in workers:
            self.add(slot)
        if alerter:
            self.add("alerter")
        self._supervisor.start()

    def add(self, role: str) -> None:
        with self._lock:
            self.roles.add(role)
            self._start(role)

    def remove(self, role: str) -> None:
        """End it for good, cleanly."""
        with self._lock:
            self.roles.discard(role)
            process = self.processes[role]
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def running(self, kind: str) -> list[str]:
        """Roles of workers or the alerter that are up now."""
        with self._lock:
            return sorted(
                role
                for role in self.roles
                if (role == "alerter") == (kind == "alerter") and self.processes[role].poll() is None
            )

    def signal(self, role: str, number: int) -> None:
        self.processes[role].send_signal(number)

    def started(self, role: str) -> float:
        """Seconds since the process of a role was last started."""
        return time.monotonic() - self._since[role]

    def close(self) -> None:
        self._closed.set()
        if self._supervisor.is_alive():
            self._supervisor.join(5)
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.receiver.close()

    def _start(self, role: str) -> None:
        stand_in = self.checkouts.get(role, ROOT) / STAND_IN.relative_to(ROOT)
        own = {"alerting.instance": "0"} if role == "alerter" else {"worker.slot": role}
        environment = self.environment(self.checkouts.get(role, ROOT), **own)
        environment["CHAOS_CLOCK"] = str(self.clock_file)
        with (self.tmp_path / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                [sys.executable, str(stand_in), "alerter" if role == "alerter" else "worker"],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.tmp_path,
                # As services are: Ctrl-C ends the suite, which ends them in order.
                start_new_session=True,
            )
        self._since[role] = time.monotonic()

    def environment(self, checkout: Path, **flags: Any) -> dict[str, str]:
        """The environment of a process of the fleet that runs the version of a checkout."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
        support = (checkout / STAND_IN.relative_to(ROOT)).parent.parent
        environment["PYTHONPATH"] = os.pathsep.join([str(checkout), str(support), *sys.path[1:]])
        for name, value in {**self.flags, **self._via, **flags}.items():
            text = json.dumps(value) if isinstance(value, list) else str(value)
            environment[f"TRIAGE_{name.upper().replace('.', '__')}"] = text
        return environment

    def _supervise(self) -> None:
        while not self._closed.wait(0.1):
            with self._lock:
                ended = [(role, self.processes[role].poll()) for role in self.roles]
                for role, code in ended:
                    if code is None:
                        continue
                    self.exits.append((time.monotonic(), role, code, self.started(role)))
                    self._closed.wait(RESTART_AFTER_S)
                    if not self._closed.is_set():
                        self._start(role)
