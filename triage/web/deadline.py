"""Limits the time for receiving the body of a request."""

import asyncio
import contextlib

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyDeadline:
    """ASGI middleware that treats the client as disconnected if a body is not complete after `timeout_s` seconds.

    It must be the outermost middleware. The application sees a disconnect, which is not an error, so nothing is logged.
    """

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        complete = False

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                message = {"type": "http.disconnect"}
            complete = not message.get("more_body", False)
            return message

        with contextlib.suppress(ClientDisconnect):
            await self._app(scope, receive_in_time, send)
