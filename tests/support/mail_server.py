"""A mail server for tests, with TLS and a login."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Iterator
from typing import Any, cast

from aiosmtpd import controller
from aiosmtpd.smtp import AuthResult
from connections import open_connections


def _authenticated(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"triage", b"right password"), handled=False)


class _Controller(controller.Controller):
    """On a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = cast("asyncio.Server", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def running(handler: object, context: ssl.SSLContext | None = None, *, security: str = "starttls") -> Iterator[int]:
    """Yield the port of a server on 127.0.0.1; its user is `triage`, with `right password`.

    `context` is that of its TLS, which `security` has begin with `tls`, `starttls` or never (`none`).
    """
    options: dict[str, Any] = {
        "authenticator": _authenticated,
        "auth_require_tls": security == "starttls",
        "require_starttls": security == "starttls",
    }
    if security == "none":
        options = {}
    elif security == "starttls":
        options["tls_context"] = context
    ready = context if security == "tls" else None
    server = _Controller(handler, hostname="127.0.0.1", port=0, ssl_context=ready, ready_timeout=60, **options)
    server.start()
    try:
        yield server.port
    finally:
        # It closes no connection when it stops: whoever has said goodbye must have been heard before.
        deadline = time.monotonic() + 20
        while open_connections(server.loop) and time.monotonic() < deadline:
            time.sleep(0.01)
        server.stop()
