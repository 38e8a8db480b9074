"""The door of the console: who may see it, who may change something, and the page to log in."""

import math
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from triage.config import ConsoleSettings
from triage.console.translations import translations_of
from triage.console.web.identity import ANONYMOUS, COOKIE, Identities, User
from triage.logging import get_logger
from triage.web.identity import bearer_of, by_token
from triage.web.login_throttle import LoginThrottle, TooManyTries

log = get_logger("triage.console")

_CSS = Path(__file__).with_name("console.css")
_PROBES = frozenset({"/live", "/ready", "/metrics"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_FORM_BYTES = 4_096


def user_of(connection: HTTPConnection) -> User:
    """Who sends this request or holds this web socket; set by `Door`."""
    user = connection.scope.get("triage.user", ANONYMOUS)
    assert isinstance(user, User)
    return user


class LoginMiddleware:
    """Plain ASGI middleware around everything, web sockets too.

    What changes something must come from the console's own pages (`Sec-Fetch-Site`, `Origin`) or carry a bearer token,
    and from an operator; so must a web socket from our pages. The cookie is HttpOnly and SameSite=Strict.
    """

    def __init__(self, app: ASGIApp, settings: ConsoleSettings, monotonic: Callable[[], float]) -> None:
        self._app = app
        self._settings = settings
        self._identities = Identities(settings)
        self._tries = LoginThrottle(monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        path = scope["path"]
        if scope["type"] == "http" and path in _PROBES and self._settings.open_probes:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and path in {"/login", "/logout"} and self._settings.tokens:
            response = await self._login(Request(scope, receive)) if path == "/login" else self._logout(connection)
            await response(scope, receive, send)
            return
        try:
            user, bearer = self._who(connection)
            refusal = self._refusal(connection, user, bearer=bearer)
        except TooManyTries as wait:
            user, refusal = None, _refused(429, str(wait), _retry(wait))
        if refusal is None:
            scope["triage.user"] = user
            if self._settings.login and user is not None:
                scope.setdefault("state", {})["user"] = user.name
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _who(self, connection: HTTPConnection) -> tuple[User | None, bool]:
        """The user, and whether a bearer token says so (which no browser sends by itself)."""
        if not self._settings.login:
            return ANONYMOUS, False
        if (token := bearer_of(connection)) is not None:
            return by_token(token, connection, self._identities, self._tries), True
        user = self._identities.by_proxy(connection)
        cookie = connection.cookies.get(COOKIE)
        return user or (self._identities.by_session(cookie) if cookie else None), False

    def _refusal(self, connection: HTTPConnection, user: User | None, *, bearer: bool) -> Response | None:
        socket = connection.scope["type"] == "websocket"
        method = "GET" if socket else connection.scope["method"]
        if user is None:
            return self._ask(connection, method)
        if (socket or method not in _SAFE) and not bearer and not self._ours(connection):
            return _refused(403, "this request does not come from the console's own pages")
        if method not in _SAFE and not user.may_act:
            return _refused(403, f"{user.name} is a viewer; this needs an operator")
        return None

    def _ask(self, connection: HTTPConnection, method: str) -> Response:
        page = "text/html" in connection.headers.get("accept", "")
        if method == "GET" and page and self._settings.tokens:
            path = connection.url.path + (f"?{connection.url.query}" if connection.url.query else "")
            return RedirectResponse(f"/login?next={quote(path, safe='')}", status_code=303)
        how = "log in at /login, or send a bearer token" if self._settings.tokens else "come through the proxy"
        return _refused(401, f"not logged in: {how}", {"WWW-Authenticate": "Bearer"})

    def _ours(self, connection: HTTPConnection) -> bool:
        site = connection.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origin = connection.headers.get("origin")
        if origin is None:
            return False
        hosts = {connection.headers.get("host", "")}
        if self._identities.proxies.sent(connection):
            hosts.add(connection.headers.get("x-forwarded-host", ""))
        return urlsplit(origin).netloc in hosts - {""}

    async def _login(self, request: Request) -> Response:
        target = _local(request.query_params.get("next", "/"))
        if request.method in {"GET", "HEAD"}:
            return _login_page(request, target)
        if request.method != "POST":
            return _refused(405, "GET or POST", {"Allow": "GET, POST"})
        if not self._ours(request):
            return _refused(403, "this request does not come from the console's own pages")
        token = await _form_field(request, "token")
        try:
            user = by_token(token, request, self._identities, self._tries)
        except TooManyTries as wait:
            return _login_page(request, target, "too_many", 429, _retry(wait))
        if user is None:
            return _login_page(request, target, "wrong", 401)
        address = self._identities.proxies.client_of(request)
        log.info("console_login", user=user.name, role=user.role, address=address)
        response = RedirectResponse(target, status_code=303)
        response.set_cookie(
            COOKIE,
            self._identities.session(user),
            max_age=int(self._settings.session_hours * 3600),
            httponly=True,
            samesite="strict",
            secure=self._secure(request),
        )
        return response

    def _logout(self, connection: HTTPConnection) -> Response:
        if connection.scope["method"] != "POST" or not self._ours(connection):
            return _refused(403, "log out by a POST from the console's own pages")
        response = RedirectResponse("/login", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def _secure(self, request: Request) -> bool:
        forwarded = request.headers.get("x-forwarded-proto") if self._identities.proxies.sent(request) else None
        return (forwarded or request.url.scheme) == "https"


async def _form_field(request: Request, name: str) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]


def _local(target: str) -> str:
    """Where to go after the login: a path of ours, never another host."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if fine else "/"


def _retry(wait: TooManyTries) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(wait.wait_s))}


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": why}, status_code=status, headers=headers)


def _login_page(
    request: Request, target: str, problem: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    words = translations_of(request)
    alert = f'<p class="remark" role="alert">{words(f"login.{problem}")}</p>' if problem else ""
    title = words("login.title")
    return HTMLResponse(
        f'<!doctype html><html lang="{words.html_language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · triage</title>'
        f"<style>{_CSS.read_text('utf-8')}</style></head><body>"
        '<header class="top"><div class="bar">'
        '<span class="brand"><i aria-hidden="true"></i>triage</span></div></header>'
        f'<main class="page"><section class="card whole"><h1>{title}</h1>{alert}'
        f'<form class="search" method="post" action="/login?next={quote(target, safe="")}">'
        f'<label for="token"><span>{words("login.token")}</span>'
        '<input id="token" name="token" type="password" autocomplete="current-password" required autofocus></label> '
        f'<button type="submit" class="button primary">{title}</button></form></section></main></body></html>',
        status_code=status,
        headers=headers,
    )
