"""Login of the console: sessions of browsers, protection against forged requests, and the login page."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from triage.config import ConsoleSettings
from triage.console.web.language import translations_of
from triage.console.web.sessions import COOKIE, Session, Sessions
from triage.console.web.templates import document
from triage.console.web.zone import zone_script
from triage.logging import get_logger
from triage.web.address import peer_of
from triage.web.auth import AuthMiddleware, user_of
from triage.web.body import read_form
from triage.web.cookies import cookie_of, delete_cookie, set_cookie
from triage.web.identity import User, bearer_of
from triage.web.origin import same_origin
from triage.web.prefix import local_target, root_of
from triage.web.problem import Problem

log = get_logger("triage.console")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MAX_FORM_BYTES = 4_096


class LoginMiddleware(AuthMiddleware):
    """Authentication of the console: adds browser sessions and a login page, and refuses forged requests.

    A request that makes a change must come from the console's own pages (`Sec-Fetch-Site`, `Origin`) or have a bearer
    token, and its user must be an operator; a web socket must come from these pages, too. The session cookie is
    HttpOnly and SameSite=Strict. Links in notifications are signed, and their routes do these checks themselves.
    """

    settings: ConsoleSettings

    def __init__(self, app: ASGIApp, settings: ConsoleSettings, monotonic: Callable[[], float]) -> None:
        super().__init__(app, settings, monotonic, open_paths=("/act/",))
        self.path_prefix = settings.path_prefix
        self.sessions = Sessions(settings, self.identities)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] == "http" and path in {"/login", "/logout"} and self.settings.tokens:
            request = Request(scope, receive)
            try:
                response = await self._login(request) if path == "/login" else self._logout(request)
            except Problem as problem:
                response = _refused(problem)
            await response(scope, receive, send)
        else:
            await super().handle(scope, receive, send)

    @property
    def advice(self) -> str:
        return "log in at /login, or send a bearer token" if self.settings.tokens else "come through the proxy"

    def user_without_token(self, connection: HTTPConnection) -> User | None:
        session = self._session(connection)
        return session.user if session else None

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self.settings.login:
            # Users without a session of the console are known for as long as one would last.
            connection = HTTPConnection(scope)
            session = self._session(connection) or self.sessions.begin(user_of(connection))
            await self.sessions.serve_socket(session, self._app, scope, receive, send)
        else:
            await super().serve(scope, receive, send)

    def authorize(self, connection: HTTPConnection, user: User) -> None:
        socket = connection.scope["type"] == "websocket"
        changes = not socket and connection.scope["method"] not in _SAFE
        # No browser sends a bearer token by itself; without a login one in the header proves nothing.
        by_program = self.settings.login and bearer_of(connection) is not None
        if (socket or changes) and not by_program:
            self._require_same_origin(connection)
        if changes and not user.may_act:
            raise Problem(403, "viewers_may_not", f"{user.name} is a viewer; this needs an operator")

    def refusal(self, connection: HTTPConnection, problem: Problem) -> ASGIApp:
        page = connection.scope["method"] == "GET" and "text/html" in connection.headers.get("accept", "")
        if problem.status == 401 and page and self.settings.tokens:
            target = connection.url.path.lstrip("/") + (f"?{connection.url.query}" if connection.url.query else "")
            return RedirectResponse(f"{root_of(connection)}login?next={quote(target, safe='')}", status_code=303)
        return _refused(problem)

    def _session(self, connection: HTTPConnection) -> Session | None:
        cookie = cookie_of(connection, COOKIE)
        return self.sessions.find(cookie) if cookie else None

    def _require_same_origin(self, connection: HTTPConnection) -> None:
        if not same_origin(connection):
            raise Problem(403, "other_site", "this request does not come from the console's own pages")

    async def _login(self, request: Request) -> Response:
        target = local_target(request.query_params.get("next", "").removeprefix("/"))
        if request.method in {"GET", "HEAD"}:
            return _login_page(request, target)
        if request.method != "POST":
            raise Problem(405, "no_such_method", "GET or POST")
        self._require_same_origin(request)
        form = await read_form(request, _MAX_FORM_BYTES)
        try:
            user = self.by_token(form.get("token", [""])[0], request)
        except Problem as problem:
            return _login_page(request, target, problem)
        if (before := self._session(request)) is not None:
            self.sessions.revoke(before)
        log.info("console_login", user=user.name, role=user.role, address=peer_of(request))
        response = RedirectResponse(root_of(request) + target, status_code=303)
        value, max_age_s = self.sessions.cookie(self.sessions.begin(user)), int(self.settings.session_hours * 3600)
        set_cookie(request, response, COOKIE, value, max_age_s=max_age_s)
        return response

    def _logout(self, request: Request) -> Response:
        if request.method != "POST":
            raise Problem(403, "no_such_method", "log out by a POST from the console's own pages")
        self._require_same_origin(request)
        if (session := self._session(request)) is not None:
            self.sessions.revoke(session)
            log.info("console_logout", user=session.user.name, address=peer_of(request))
        response = RedirectResponse(f"{root_of(request)}login", status_code=303)
        delete_cookie(request, response, COOKIE)
        return response


def _refused(problem: Problem) -> Response:
    return JSONResponse({"error": str(problem)}, problem.status, problem.headers)


def _login_page(request: Request, target: str, problem: Problem | None = None) -> Response:
    message = None if problem is None else "login.too_many" if problem.status == 429 else "login.wrong"
    page = document(
        "web/login.html",
        translations_of(request),
        message=message,
        script=zone_script(request, reload=False),
        address=f"{root_of(request)}login?next={quote(target, safe='')}",
    )
    return HTMLResponse(
        page, status_code=problem.status if problem else 200, headers=problem.headers if problem else None
    )
