"""Records metrics and traces of the API's requests."""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage import tracing
from triage.metrics import Metrics


class RequestMetrics:
    """ASGI middleware that counts requests by route and status, and measures their duration by route.

    It is the outermost middleware, so that refused requests are counted, too.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._metrics = metrics
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = self._monotonic(), 500

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            route = _route_of(scope)
            self._metrics.api_requests.labels(route, str(status)).inc()
            self._metrics.api_seconds.labels(route).observe(self._monotonic() - started)


class RequestSpans:
    """ASGI middleware that creates a trace span, a child of the caller's, for each authenticated request to the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        caller = tracing.remote([(name.decode("latin-1"), value) for name, value in scope["headers"]])
        with tracing.span(f"{scope['method']} /v1", parent=caller, kind="server") as span:
            await self._app(scope, receive, send)
            span.update_name(f"{scope['method']} {_route_of(scope)}")


def _route_of(scope: Scope) -> str:
    """Return the path of the matched route, or "other".

    It is one of few values, while a request's own path may be anything.
    """
    return str(getattr(scope.get("route"), "path", "other"))
