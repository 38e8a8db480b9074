"""Roles and rate limits of the API's callers."""

from starlette.requests import Request

from triage.web.address import network_of, peer_of
from triage.web.auth import user_of
from triage.web.identity import ANONYMOUS, User
from triage.web.problem import Problem

# They hold no data: what the API takes and gives is public.
OPEN_PATHS = ("/docs", "/openapi.json", "/static-offline-docs/")


def caller_of(request: Request) -> str:
    """The key of the caller's rate limit: the user's name, without logins the address."""
    user = user_of(request)
    return network_of(peer_of(request)) if user is ANONYMOUS else user.name


def require_operator(request: Request) -> User:
    """Raises Problem 403 for viewers."""
    user = user_of(request)
    if not user.may_act:
        raise Problem(403, "viewers_may_not", f"{user.name} is a viewer; this needs the role operator")
    return user
