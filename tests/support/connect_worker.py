"""Runs connectors in Kafka Connect's standalone worker, from the jars of a real Kafka."""

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT

from triage.local.stack import free_port

_SOURCE = ROOT / "tests" / "support" / "connect" / "ReplaySource.java"
_SERVICE = "META-INF/services/org.apache.kafka.connect.source.SourceConnector"


def connect_jars() -> Path:
    """The folder with the jars of Kafka Connect in TRIAGE_TEST_KAFKA_HOME; skips the test where there is none."""
    home = os.environ.get("TRIAGE_TEST_KAFKA_HOME")
    for folder in ("connect", "lib", "libs"):
        if home and any((Path(home) / folder).glob("connect-runtime-*.jar")):
            if not shutil.which("java") or not shutil.which("javac"):
                pytest.skip("Kafka Connect needs Java, and its test source javac")
            return Path(home) / folder
    pytest.skip("TRIAGE_TEST_KAFKA_HOME does not name a folder with connect/*.jar (tests/support/connect/pom.xml)")


def compile_replay_source(jars: Path, folder: Path) -> Path:
    """Compile ReplaySource, and return the folder of its classes."""
    classes = folder / "classes"
    (classes / _SERVICE).parent.mkdir(parents=True)
    (classes / _SERVICE).write_text("ReplaySource\n")
    subprocess.run(
        ["javac", "--release", "17", "-cp", str(jars / "*"), "-d", classes, _SOURCE], check=True, capture_output=True
    )
    return classes


@dataclass(frozen=True)
class ConnectWorker:
    """A running worker. `state` asks its REST API for a connector's task: RUNNING, or FAILED with the stack trace."""

    connectors: Mapping[str, Mapping[str, str]]
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def state(self, name: str) -> tuple[str, str]:
        with contextlib.suppress(OSError, ValueError):
            url = f"http://127.0.0.1:{self.port}/connectors/{name}/status"
            with urllib.request.urlopen(url, timeout=5) as response:
                status: dict[str, Any] = json.load(response)
            for task in [*status["tasks"], status["connector"]]:
                return task["state"], task.get("trace", "")
        return "UNKNOWN", ""

    def wait_for(self, name: str, state: str, timeout_s: float = 60) -> str:
        """Wait until the task is in a state, and return its stack trace."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            found, trace = self.state(name)
            if found == state:
                return trace
            time.sleep(0.2)
        pytest.fail(f"{name} is {self.state(name)}, not {state}:\n{self.log.read_text('utf-8', 'replace')[-3000:]}")


@contextlib.contextmanager
def running_connect(
    jars: Path, folder: Path, bootstrap_servers: str, connectors: Mapping[str, Mapping[str, str]]
) -> Iterator[ConnectWorker]:
    """A standalone worker with these connectors, settings by name; ReplaySource is among its plugins."""
    classes, port = compile_replay_source(jars, folder), free_port()
    properties = {
        "bootstrap.servers": bootstrap_servers,
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": folder / "offsets",
        "listeners": f"http://127.0.0.1:{port}",
        "plugin.discovery": "service_load",
    }
    (folder / "worker.properties").write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    for name, config in connectors.items():
        (folder / f"{name}.json").write_text(json.dumps({"name": name, "config": config}))
    with (folder / "connect.log").open("wb") as log:
        process = subprocess.Popen(
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{classes}:{jars}/*",
             "org.apache.kafka.connect.cli.ConnectStandalone", "worker.properties",
             *(f"{name}.json" for name in connectors)],
            cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield ConnectWorker(connectors, process, port, folder / "connect.log")
    finally:
        process.kill()
        process.wait()
