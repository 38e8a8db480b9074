"""`triage console` and `triage serve` as processes whose Elasticsearch and Kafka are unavailable."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

TOKEN = {"olga": "the-token-of-olga-0123", "vera": "the-token-of-vera-0123"}
TOKENS = [
    {"name": "olga", "role": "operator", "token": TOKEN["olga"]},
    {"name": "vera", "role": "viewer", "token": TOKEN["vera"]},
]


# Much more than it takes: other tests may need the machine.
_START_S = 180


class RunningService:
    """Use it as a context manager: `url` is its address, `log` the lines of its log, as JSON."""

    command: str
    section: str

    def __init__(self, folder: Path, settings: Mapping[str, str], max_files: int = 1024) -> None:
        # NiceGUI behaves otherwise where it sees pytest.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        nowhere = ["--elasticsearch", "http://127.0.0.1:9", "--bootstrap-servers", "127.0.0.1:9"]
        settings = {f"{self.section}.port": "0", "logging.format": "json", **settings}
        flags = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        self.process = subprocess.Popen(
            ["sh", "-c", 'ulimit -n $0; exec "$@"', str(max_files), sys.executable, "-m", "triage", self.command,
             *nowhere, *flags],
            cwd=folder, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.log: list[str] = []
        self.url = ""
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if f'"{self.section}_started"' in line:
                self._started.set()
        self._started.set()

    def event(self, name: str) -> dict[str, Any] | None:
        """The first event of this name in the log, None without one."""
        return next((json.loads(line) for line in self.log if f'"{name}"' in line), None)

    def connect(self, sent: bytes = b"") -> socket.socket:
        """A connection to the service, on which `sent` has been sent."""
        address = urlsplit(self.url)
        connection = socket.create_connection((address.hostname, address.port), timeout=10)
        connection.sendall(sent)
        return connection

    def __enter__(self) -> Self:
        self._started.wait(_START_S)
        started = self.event(f"{self.section}_started")
        if started is None:
            self.__exit__()
            pytest.fail("".join(self.log))
        self.url = started["url"]
        return self

    def __exit__(self, *details: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


class RunningConsole(RunningService):
    command = section = "console"


class RunningApi(RunningService):
    command, section = "serve", "api"
