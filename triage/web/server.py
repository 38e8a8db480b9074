"""The HTTP server of a web process."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from triage.config import WebSettings
from triage.errors import ConfigError
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.runtime.health import HealthServer
from triage.web.connections import Connections, GuardedHttp, GuardedWebSocket
from triage.web.deadline import BodyDeadline
from triage.web.health import WebHealth

log = get_logger("triage.web")

_SHUTDOWN_S = 3
_TLS_HANDSHAKE_S = 5.0
_TICKS_PER_S = 10
_MAX_FRAME_BYTES = 1024 * 1024  # NiceGUI sends less
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")


def check_reach(settings: WebSettings, section: str) -> None:
    """Check that a web process is not open to the network without protection.

    Raises ConfigError if other machines could use it without a login, or if a certificate file is missing. Logs a
    warning if tokens would cross the network in clear text. `section` is the name of the settings, such as `api`.
    """
    problems = [
        f"{section}.{name}: no such file: {path}"
        for name in ("tls_certfile", "tls_keyfile")
        if (path := getattr(settings, name)) is not None and not path.is_file()
    ]
    if not settings.login and not settings.allow_without_login and settings.beyond_loopback:
        problems.append(
            f"{section}.host {settings.host} is reachable from other machines without a login: "
            f"set {section}.tokens, or {section}.proxy_login where a proxy logs people in, "
            f"or {section}.allow_without_login = true"
        )
    if problems:
        raise ConfigError(problems, where="settings")
    for exposure in settings.in_clear_text():
        log.warning(
            "credentials_in_clear_text",
            setting=f"{section}.{exposure.setting}",
            what=exposure.what,
            fix=exposure.remedy,
        )


def listen(settings: WebSettings, section: str) -> socket.socket:
    """Open a listening socket on the host and port of `settings`.

    Raises ConfigError, which names the settings by their `section`, such as `api`, if that is not possible.
    """
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"{section}.host, {section}.port: cannot listen on {host}:{port}: {error.strerror}"
        ) from error


@contextmanager
def health_listener(settings: WebSettings, section: str, health: WebHealth, metrics: Metrics) -> Iterator[None]:
    """Context manager that also answers probes on `health_port`, if it is set.

    It uses its own threads, so that it answers even if the event loop hangs. Raises ConfigError, which names the
    settings by their `section`, such as `api`, if the port cannot be opened.
    """
    host, port = settings.host, settings.health_port
    if port is None:
        yield
        return
    try:
        server = HealthServer(health, metrics, port, host)
    except OSError as error:
        raise ConfigError(f"{section}.health_port: cannot listen on {host}:{port}: {error.strerror}") from error
    server.start()
    log.info("health_started", port=server.port)
    try:
        yield
    finally:
        server.stop()


def url_of(listening: socket.socket, settings: WebSettings) -> str:
    """Return the URL of the listening socket, such as `http://127.0.0.1:8080`."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_certfile else 'http'}://{shown}:{port}"


def local_names_only(app: ASGIApp, settings: WebSettings) -> ASGIApp:
    """Let an application without login that only this machine can reach accept only requests to this machine's names.

    Otherwise any site could point its own name at this machine (DNS rebinding) and act as the anonymous operator. Other
    applications are returned as they are.
    """
    if settings.login or settings.beyond_loopback:
        return app
    return TrustedHostMiddleware(app, allowed_hosts=[*_LOCAL_NAMES, settings.host], www_redirect=False)


class Server(uvicorn.Server):
    """A uvicorn server with limits on connections and bodies.

    `beat` is called ten times a second while the event loop runs.
    """

    def __init__(self, app: ASGIApp, settings: WebSettings, beat: Callable[[], None] = lambda: None) -> None:
        self.guard = Connections(settings)
        self._beat = beat
        super().__init__(_options(app, settings, self.guard))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        if self.config.is_ssl:
            # uvicorn 0.54 has no setting for it; asyncio's default is 60 s.
            create = partial(loop.create_server, ssl_handshake_timeout=_TLS_HANDSHAKE_S)
            loop.create_server = create  # type: ignore[method-assign]
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        self._beat()
        if counter % _TICKS_PER_S == 0:
            self.guard.sweep()
        return await super().on_tick(counter)


def run(app: ASGIApp, listening: socket.socket, settings: WebSettings, beat: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight then have three seconds to complete.

    `beat` is called ten times a second while the event loop runs.
    """
    # uvicorn raises the signal that stopped it again at the end; a requested stop is not a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    Server(app, settings, beat).run(sockets=[listening])


def _options(app: ASGIApp, settings: WebSettings, guard: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        BodyDeadline(local_names_only(app, settings), settings.body_timeout_s),
        http=cast(type[asyncio.Protocol], partial(GuardedHttp, guard)),
        ws=cast(type[asyncio.Protocol], partial(GuardedWebSocket, guard)),
        ws_max_size=_MAX_FRAME_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        # Authentication reads the headers of trusted proxies itself.
        proxy_headers=False,
        ssl_certfile=settings.tls_certfile,
        ssl_keyfile=settings.tls_keyfile,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
