"""Runs the embedded local stack, for trials and tests.

It is noida-db, one process that implements the protocols of Kafka and Elasticsearch.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from triage.errors import MissingExtraError, Unavailable

_START_TIMEOUT_S = 20.0
_ENDPOINTS = "endpoints.json"


@dataclass(frozen=True)
class Endpoints:
    """Addresses of a local stack: `host:port` of Kafka, and the URL of Elasticsearch."""

    bootstrap_servers: str
    elasticsearch_url: str

    @property
    def ports(self) -> tuple[int, int]:
        """Ports of Kafka and of Elasticsearch."""
        return int(self.bootstrap_servers.rpartition(":")[2]), int(self.elasticsearch_url.rpartition(":")[2])


class LocalStack:
    """A local Kafka and Elasticsearch on 127.0.0.1 with their data in `data_dir`.

    A port that is in use, or 0, is replaced by a free one. Use it as a context manager, or call `start()` and `stop()`.
    Starting raises MissingExtraError without the extra `local`, Unavailable if the process does not start.
    """

    def __init__(self, data_dir: Path, kafka_port: int = 0, elasticsearch_port: int = 0) -> None:
        self.data_dir = data_dir
        self._ports = (kafka_port, elasticsearch_port)
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoints: Endpoints | None = None

    @property
    def endpoints(self) -> Endpoints:
        if self._endpoints is None:
            raise Unavailable("local stack", "not started")
        return self._endpoints

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> Endpoints:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self._endpoints is None:
            self._endpoints = self._choose()
        log = self.data_dir / "noida-db.log"
        with log.open("ab") as output:
            # Its own process group: Ctrl-C reaches only the parent, which stops the stack last.
            self._process = subprocess.Popen(  # noqa: S603
                [str(_binary()), "start", "--data-dir", str(self.data_dir), *_arguments(self._endpoints)],
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not all(_accepts(port) for port in self._endpoints.ports):
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text("utf-8", "replace")[-500:]
                self.stop()
                raise Unavailable("local stack", f"did not start: {tail.strip()}")
            time.sleep(0.05)
        return self._endpoints

    def detach(self) -> Endpoints:
        """Start the stack in the background, where it outlives this process until `end_detached` is called.

        Returns its addresses. If the stack is already running, nothing changes. Raises Unavailable with the reason if
        it does not start.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        file = self.data_dir / _ENDPOINTS
        if file.exists():
            endpoints = Endpoints(**json.loads(file.read_text("utf-8")))
            if all(_accepts(port) for port in endpoints.ports):
                return endpoints
        endpoints = self._choose()
        done = self._command("up", endpoints)
        if done.returncode != 0:
            raise Unavailable("local stack", f"did not start: {(done.stdout + done.stderr).strip()}")
        file.write_text(json.dumps(asdict(endpoints)), "utf-8")
        return endpoints

    def end_detached(self) -> bool:
        """Stop the stack that `detach` started in this data directory; False if none is running."""
        if not (self.data_dir / _ENDPOINTS).exists():
            return False
        (self.data_dir / _ENDPOINTS).unlink()
        return "stopped" in self._command("down").stdout

    def _command(self, verb: str, endpoints: Endpoints | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [str(_binary()), verb, "--data-dir", str(self.data_dir), *_arguments(endpoints)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def _choose(self) -> Endpoints:
        kafka, elasticsearch = (port if port and is_free(port) else free_port() for port in self._ports)
        return Endpoints(f"127.0.0.1:{kafka}", f"http://127.0.0.1:{elasticsearch}")

    def stop(self, sig: int = signal.SIGTERM) -> None:
        """Stop the local stack by sending it the signal `sig`, and keep its data; the fault tests use SIGKILL."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, sig)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wipe(self) -> None:
        """Delete the data of a stopped stack."""
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Endpoints:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _arguments(endpoints: Endpoints | None) -> list[str]:
    if endpoints is None:
        return []
    kafka, elasticsearch = map(str, endpoints.ports)
    return ["--only", "kafka,elasticsearch", "--kafka-port", kafka, "--elasticsearch-port", elasticsearch]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _binary() -> Path:
    """Path of the noida-db executable inside its wheel. Raises MissingExtraError if the wheel is not installed.

    The wheel's console script would add a Python process between this one and the stack.
    """
    spec = importlib.util.find_spec("noida_db")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("the local stack", "local")
    folder = Path(spec.submodule_search_locations[0])
    for name in ("noida-db", "noida-db.exe"):
        if (folder / name).exists():
            return folder / name
    raise MissingExtraError("the local stack", "local")
