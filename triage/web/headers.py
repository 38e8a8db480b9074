"""Adds security headers to every HTTP response."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HSTS = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware that adds `headers` to every response.

    It also adds `cache-control: no-store` to responses without that header, and over https the header that makes
    browsers use only https (HSTS, one year).
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                # `scheme` is the client's: authentication has taken it from a trusted proxy by now.
                if scope["scheme"] == "https":
                    headers["strict-transport-security"] = _HSTS
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
