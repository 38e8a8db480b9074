"""Health of one process: `/live` says that its loop really moves, `/ready` that it does its work, `/metrics`."""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import make_wsgi_app

from triage.clock import Clock
from triage.metrics import Metrics

_STUCK_AFTER_S = 60.0


class Health:
    """What the loop last said about itself. Written by the worker, read by the health server's thread."""

    def __init__(self, clock: Clock, about: dict[str, Any] | None = None) -> None:
        self._clock = clock
        self._about = about or {}
        self._last_beat = clock.monotonic()
        self._waiting: dict[str, str] = {}

    def beat(self) -> None:
        """The loop moved."""
        self._last_beat = self._clock.monotonic()

    def waiting_for(self, dependency: str, why: str) -> None:
        self._waiting[dependency] = why

    def recovered(self) -> None:
        self._waiting = {}

    def live(self) -> tuple[bool, dict[str, Any]]:
        still_s = self._clock.monotonic() - self._last_beat
        return still_s < _STUCK_AFTER_S, {"seconds_since_loop_moved": round(still_s, 1)}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        waiting = dict(self._waiting)
        return not waiting, {"waiting_for": waiting, **self._about}


class HealthServer:
    """Serves health and metrics on a thread; port 0 picks a free one."""

    def __init__(self, health: Health, metrics: Metrics, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104
        self._server: WSGIServer = make_server(host, port, _application(health, metrics), handler_class=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """A probe a second is no news."""


Start = Callable[[str, list[tuple[str, str]]], Any]


def _application(health: Health, metrics: Metrics) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
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
