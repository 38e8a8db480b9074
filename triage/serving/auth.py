"""Authentication of webhooks, and the roles and rate-limit keys of the API's callers."""

from collections.abc import Callable

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp

from triage.config import ApiSettings, Role
from triage.logging import get_logger
from triage.web.address import network_of, peer_of
from triage.web.auth import AuthMiddleware, user_of
from triage.web.identity import ANONYMOUS, User
from triage.web.problem import Problem

log = get_logger("triage.web")

_MAX_LOGGED_CHARS = 200
HOOKS = "/v1/hooks/"
# They hold no data: what the API takes and gives is public.
_OPEN_PATHS = ("/docs", "/openapi.json", "/static-offline-docs/")


class ApiAuthMiddleware(AuthMiddleware):
    """Authentication of the API: extends AuthMiddleware by webhooks.

    Users with the role webhook can only send webhooks, and a signature can replace a token.
    """

    settings: ApiSettings

    def __init__(self, app: ASGIApp, settings: ApiSettings, monotonic: Callable[[], float]) -> None:
        super().__init__(app, settings, monotonic, open_paths=_OPEN_PATHS)

    def user_without_token(self, connection: HTTPConnection) -> User | None:
        """Return a user with the role webhook for a request to a webhook with a configured signature, else None.

        The route verifies the signature after it has read the body.
        """
        name = connection.scope["path"].removeprefix(HOOKS)
        signed = connection.scope["path"].startswith(HOOKS) and name in self.settings.webhook_signatures
        return User(f"webhook:{name}", "webhook") if signed else None

    def authorize(self, connection: HTTPConnection, user: User) -> None:
        if user.role == "webhook" and not connection.scope["path"].startswith(HOOKS):
            raise Problem(403, "webhooks_may_not", f"{user.name} may only send webhooks, to {HOOKS}NAME")


def caller_of(request: Request) -> str:
    """Return the key of the caller's rate limit: the user's name, or the client's network if no login is required."""
    user = user_of(request)
    return network_of(peer_of(request)) if user is ANONYMOUS else user.name


def require_role(request: Request, *roles: Role) -> User:
    """Return the user of the request. Raises Problem 403 if the user has none of the roles `roles`."""
    user = user_of(request)
    if user.role not in roles:
        code = f"{user.role}s_may_not"
        log.warning("request_refused", user=user.name, code=code, path=request.scope["path"][:_MAX_LOGGED_CHARS])
        raise Problem(403, code, f"{user.name} has the role {user.role}; this needs {' or '.join(roles)}")
    return user
