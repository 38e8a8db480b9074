"""The HTTP server of a web process."""

import signal
import socket

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from triage.config import WebSettings
from triage.errors import ConfigError
from triage.logging import get_logger

log = get_logger("triage.web")

_SHUTDOWN_S = 3
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]", "::1")


def check_reach(settings: WebSettings, section: str) -> None:
    """Raises ConfigError if the network could reach it without a login, or a certificate is missing.

    Warns if tokens would cross the network in clear text.
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
    if settings.clear_text:
        log.warning("credentials_in_clear_text", section=section, remedy=f"{section}.tls_certfile, or a proxy with TLS")


def listen(settings: WebSettings, section: str) -> socket.socket:
    """A listening socket on the section's host and port. Raises ConfigError."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"{section}.host, {section}.port: cannot listen on {host}:{port}: {error.strerror}"
        ) from error


def url_of(listening: socket.socket, settings: WebSettings) -> str:
    """The address of the listening socket, such as `http://127.0.0.1:8080`."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_certfile else 'http'}://{shown}:{port}"


def local_names_only(app: ASGIApp, settings: WebSettings) -> ASGIApp:
    """Without a login, accept only requests to a name of this machine.

    Otherwise any site could point a name of its own here (DNS rebinding) and act as the anonymous operator.
    """
    if settings.login or settings.beyond_loopback:
        return app
    return TrustedHostMiddleware(app, allowed_hosts=[*_LOCAL_NAMES, settings.host], www_redirect=False)


def run(app: ASGIApp, listening: socket.socket, settings: WebSettings) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight then have three seconds to end."""
    options = uvicorn.Config(
        local_names_only(app, settings),
        log_config=None,
        access_log=False,
        server_header=False,
        # Authentication reads the headers of trusted proxies itself.
        proxy_headers=False,
        ssl_certfile=settings.tls_certfile,
        ssl_keyfile=settings.tls_keyfile,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    # uvicorn raises the signal that stopped it again at the end; a requested stop is not a failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(options).run(sockets=[listening])
