"""Answers requests whose handling failed unexpectedly, inside the middleware that adds security headers."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.logging import get_logger

log = get_logger("triage.web")


class UnexpectedErrors:
    """ASGI middleware that logs an unhandled exception and answers with `answer(request)`.

    Starlette's own answer to such a request is made outside all middleware, so that it has no security headers. After
    the beginning of an answer the exception is raised again, and the server cuts the connection.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noting_the_start(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting_the_start)
        except Exception:
            if begun:
                raise
            request = Request(scope)
            log.exception("request_failed", path=request.url.path)
            await self._answer(request)(scope, receive, send)
