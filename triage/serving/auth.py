"""Who may ask the API: a bearer token, or the word of a trusted proxy; and how long each request took."""

import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage import tracing
from triage.config import ApiSettings
from triage.metrics import Metrics
from triage.serving.problem import Problem
from triage.web.address import network_of, peer_of
from triage.web.identity import ANONYMOUS, Identities, User, bearer_of, by_token
from triage.web.login_throttle import LoginThrottle, TooManyTries

_PROBES = frozenset({"/live", "/ready", "/metrics"})
# They hold no data: what the API takes and gives is public.
_OPEN = ("/docs", "/openapi.json", "/static-offline-docs/")
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The page of the API's documentation starts from an inline script.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


def user_of(request: Request) -> User:
    """Who asks; set by `Door`."""
    user = request.scope["triage.user"]
    assert isinstance(user, User)
    return user


def caller_of(request: Request) -> str:
    """Whose allowance a request uses: the user's, without logins the address'."""
    user = user_of(request)
    return network_of(peer_of(request)) if user is ANONYMOUS else user.name


def require_operator(request: Request) -> User:
    """Raises Problem 403 for viewers."""
    user = user_of(request)
    if not user.may_act:
        raise Problem(403, "viewers_may_not", f"{user.name} is a viewer; this needs the role operator")
    return user


class AuthMiddleware:
    """Plain ASGI middleware around everything."""

    def __init__(
        self, app: ASGIApp, settings: ApiSettings, metrics: Metrics, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._monotonic = monotonic
        self._identities = Identities(settings)
        self._tries = LoginThrottle(monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = self._monotonic(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._enter(scope, receive, sent)
        finally:
            # The path itself may be anything; that of a route is one of a few.
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.api_requests.labels(route, str(status)).inc()
            self._metrics.api_seconds.labels(route).observe(self._monotonic() - started)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if (path in _PROBES and self._settings.open_probes) or path.startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        try:
            user = self._who(HTTPConnection(scope))
        except TooManyTries as wait:
            await Problem(429, "too_many_tries", str(wait), retry_s=wait.wait_s).response()(scope, receive, send)
            return
        if user is None:
            why = "send Authorization: Bearer and a token of api.tokens"
            await Problem(401, "not_known", why).response()(scope, receive, send)
            return
        scope["triage.user"] = user
        caller = tracing.remote([(name.decode("latin-1"), value) for name, value in scope["headers"]])
        with tracing.span(f"{scope['method']} /v1", parent=caller, kind="server") as span:
            await self._app(scope, receive, send)
            span.update_name(f"{scope['method']} {getattr(scope.get('route'), 'path', 'other')}")

    def _who(self, connection: HTTPConnection) -> User | None:
        if not self._settings.login:
            return ANONYMOUS
        if (token := bearer_of(connection)) is not None:
            return by_token(token, connection, self._identities, self._tries)
        return self._identities.by_proxy(connection)
