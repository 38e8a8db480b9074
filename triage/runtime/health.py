"""Serves the health of a process over HTTP: `/live` (its main loop progresses), `/ready` (no dependency is missing).

The same server provides `/metrics` for Prometheus.
"""

import errno
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from wsgiref.simple_server import WSGIServer, make_server

import orjson
from prometheus_client import make_wsgi_app

from triage.clock import Clock
from triage.errors import ConfigError
from triage.metrics import Metrics
from triage.retries.outages import Outages
from triage.runtime.listener import Listener, Listener6, Request

_STUCK_AFTER_S = 60.0


class Health:
    """The health of one process: when its main loop and tasks last progressed, and the dependencies it waits for.

    The main loop writes it, other threads (health server, watchdog) read it. The process is stuck if the loop, or a
    task of another thread, has not progressed for `stuck_after_s` seconds. `about` are fields that `/ready` shows.
    """

    def __init__(
        self, clock: Clock, about: dict[str, Any] | None = None, *, stuck_after_s: float = _STUCK_AFTER_S
    ) -> None:
        self._clock = clock
        self._about = about or {}
        self._stuck_after_s = stuck_after_s
        self._last_beat = clock.monotonic()
        # Replaced as a whole, never modified: other threads read them at any time.
        self._work: dict[str, float] = {}
        self._waiting: dict[str, str] = {}
        self._outages = Outages(clock)
        self._lock = threading.Lock()

    def describe(self, **about: Any) -> None:
        """Add or replace fields that `/ready` shows about the process; None removes a field."""
        merged = {**self._about, **about}
        self._about = {name: value for name, value in merged.items() if value is not None}

    def beat(self) -> None:
        """Record that the main loop is progressing."""
        self._last_beat = self._clock.monotonic()

    def began(self, work: str) -> None:
        """Record that a thread starts the task `work`; it counts as running until `ended` is called for it."""
        with self._lock:
            self._work = {**self._work, work: self._clock.monotonic()}

    def ended(self, work: str) -> None:
        with self._lock:
            self._work = {name: since for name, since in self._work.items() if name != work}

    def standing_still(self) -> tuple[str, float]:
        """Return the task that has not progressed for longest ("loop": the main loop), and for how many seconds."""
        now = self._clock.monotonic()
        since = {"loop": now - self._last_beat} | {name: now - begun for name, begun in self._work.items()}
        return max(since.items(), key=lambda item: item[1])

    @property
    def stuck(self) -> bool:
        return self.standing_still()[1] >= self._stuck_after_s

    def waiting_for(self, dependency: str, why: str) -> None:
        with self._lock:
            self._waiting = {**self._waiting, dependency: why}

    def outage(self, dependency: str, why: str) -> None:
        """Record that the process waits for a failed dependency; logs the first failure of an outage.

        `recovered` logs its end. Meanwhile `/ready` and the metric `retries` show it.
        """
        self.waiting_for(dependency, why)
        self._outages.failed(dependency, why)

    def recovered(self, dependency: str | None = None) -> None:
        """Record that this dependency answers again, or that all do if None. Logs the end of the outage."""
        with self._lock:
            self._waiting = {name: why for name, why in self._waiting.items() if dependency not in (None, name)}
        self._outages.over(dependency)

    def live(self) -> tuple[bool, dict[str, Any]]:
        name, seconds = self.standing_still()
        return not self.stuck, {"seconds_since_loop_moved": round(seconds, 1), "standing_still": name}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        waiting = dict(self._waiting)
        return not waiting, {"waiting_for": waiting, **self._about}


class Probed(Protocol):
    """An object whose health a HealthServer reports, such as Health.

    `live` and `ready` return True for status 200 (else 503), and the fields of the JSON response.
    """

    def live(self) -> tuple[bool, dict[str, Any]]: ...

    def ready(self) -> tuple[bool, dict[str, Any]]: ...

    def standing_still(self) -> tuple[str, float]: ...


def require_free_port(port: int, setting: str, host: str = "0.0.0.0") -> None:  # noqa: S104
    """Raise ConfigError, naming the setting, if the port cannot be listened on; 0 (any free port) is always accepted.

    Called when a process starts, so that an occupied port is reported before the model is loaded.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = "another process listens there" if error.errno == errno.EADDRINUSE else error.strerror
        raise ConfigError(f"{setting}: cannot listen on port {port}: {why}; choose another") from error


class HealthServer:
    """Serves `/live`, `/ready` and `/metrics` on its own threads; port 0 selects a free port."""

    def __init__(self, health: Probed, metrics: Metrics, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104
        metrics.seconds_since_progress.set_function(lambda: health.standing_still()[1])
        self._server: WSGIServer = make_server(
            host, port, _application(health, metrics), Listener6 if ":" in host else Listener, Request
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the server at once, without waiting for open connections."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


Start = Callable[[str, list[tuple[str, str]]], Any]


def _application(health: Probed, metrics: Metrics) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    exposition = make_wsgi_app(metrics.registry)

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return exposition(environ, start)  # type: ignore[no-any-return]
        checks = {"/live": health.live, "/ready": health.ready}
        if path not in checks:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"/live /ready /metrics\n"]
        good, details = checks[path]()
        start("200 OK" if good else "503 Service Unavailable", [("Content-Type", "application/json")])
        return [orjson.dumps({"ok": good, **details}, default=str)]

    return application
