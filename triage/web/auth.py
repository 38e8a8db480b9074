"""Authentication and authorization of every request and web socket, for both the API and the console."""

from collections.abc import Callable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from triage.config import WebSettings
from triage.logging import get_logger
from triage.web.address import peer_of
from triage.web.identity import ANONYMOUS, Identities, User, bearer_of, digest_of
from triage.web.login_throttle import LoginThrottle
from triage.web.prefix import apply_prefix
from triage.web.problem import Problem

log = get_logger("triage.web")

PROBES = frozenset({"/live", "/ready", "/metrics"})
_USER = "triage.user"
_MAX_LOGGED_CHARS = 200
_UNKNOWN = User("unknown", "viewer")


def user_of(connection: HTTPConnection) -> User:
    """Return the user of a request or web socket that has passed `AuthMiddleware`.

    On a path that needs no login it may be a placeholder for an unknown user: see `is_known`.
    """
    user = connection.scope[_USER]
    assert isinstance(user, User)
    return user


def is_known(connection: HTTPConnection) -> bool:
    """True if the user is logged in; it can be False only on paths that need no login."""
    return user_of(connection) is not _UNKNOWN


class AuthMiddleware:
    """ASGI middleware that refuses requests of unknown users, except to probes and `open_paths`.

    An open path with a final `/` includes all paths below it.

    Subclasses add a way to identify users (`user_without_token`), rules for what a user may do (`authorize`) and their
    own form of error responses (`refusal`).
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: WebSettings,
        monotonic: Callable[[], float],
        open_paths: tuple[str, ...] = (),
    ) -> None:
        self._app = app
        self.settings = settings
        self.path_prefix = ""
        self.identities = Identities(settings)
        self._throttle = LoginThrottle(monotonic)
        self._open_paths = open_paths
        self._open_folders = tuple(path for path in open_paths if path.endswith("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        self.identities.proxies.apply(scope)
        apply_prefix(scope, self.path_prefix)
        if self._is_open(scope):
            scope[_USER] = self._identify_if_possible(HTTPConnection(scope))
            await self._app(scope, receive, send)
        else:
            await self.handle(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the user of a request or web socket and serve it; refuse unknown and unauthorized users."""
        connection = HTTPConnection(scope)
        user = None
        try:
            user = self._identify(connection)
            self.authorize(connection, user)
        except Problem as problem:
            if user is not None:
                log.warning(
                    "request_refused", user=user.name, code=problem.code, path=scope["path"][:_MAX_LOGGED_CHARS]
                )
            if scope["type"] == "websocket":
                # Closing before accepting answers the handshake with 403.
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self.refusal(connection, problem)(scope, receive, send)
            return
        scope[_USER] = user
        await self.serve(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request or web socket of a known user to the application."""
        await self._app(scope, receive, send)

    @property
    def advice(self) -> str:
        """The part of a 401 message that says what to do."""
        return "send Authorization: Bearer and a token of this service's setting `tokens`"

    def user_without_token(self, connection: HTTPConnection) -> User | None:
        """Return the user identified by other means than token and proxy, such as a session; None if there is none."""
        del connection
        return None

    def authorize(self, connection: HTTPConnection, user: User) -> None:
        """Raise Problem if the user is not allowed to make this request. By default every user is."""

    def refusal(self, connection: HTTPConnection, problem: Problem) -> ASGIApp:
        """Build the response to a request that is refused because of `problem`."""
        del connection
        return problem.response()

    def by_token(self, token: str, connection: HTTPConnection) -> User:
        """Return the user of a token. Raises Problem 401 for a wrong token, 429 after too many wrong ones.

        The check and the count are not separated by an await, so simultaneous requests cannot exceed the limit.
        """
        address = peer_of(connection)
        self._throttle.check(address)
        user = self.identities.by_token(token)
        if user is None:
            if self._throttle.failed(address, digest_of(token)):
                log.warning("token_refused", address=address)
            raise Problem(401, "not_known", f"no user has this token: {self.advice}")
        return user

    def _identify(self, connection: HTTPConnection) -> User:
        if not self.settings.login:
            return ANONYMOUS
        if (token := bearer_of(connection)) is not None:
            return self.by_token(token, connection)
        user = self.identities.by_proxy(connection) or self.user_without_token(connection)
        if user is None:
            raise Problem(401, "not_known", f"not logged in: {self.advice}")
        return user

    def _identify_if_possible(self, connection: HTTPConnection) -> User:
        try:
            return self._identify(connection)
        except Problem:
            return _UNKNOWN

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        probe = path in PROBES and self.settings.open_probes
        return scope["type"] == "http" and (probe or path in self._open_paths or path.startswith(self._open_folders))
