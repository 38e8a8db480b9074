"""Identifies users by a token, or by the header of a reverse proxy that authenticates them."""

import hashlib
import hmac
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from triage.config import Role, WebSettings
from triage.web.address import TrustedProxies
from triage.web.problem import Problem

_MAX_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class User:
    """A user: name and role. If no login is configured, everyone is an operator named `anonymous`."""

    name: str
    role: Role

    @property
    def may_act(self) -> bool:
        """True if the user may make changes: acknowledge, silence, send records, correct labels."""
        return self.role == "operator"


ANONYMOUS = User("anonymous", "operator")


class Identities:
    """The configured users, found by token or by the headers of a trusted proxy."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self.proxies = TrustedProxies(settings.trusted_proxies, (settings.user_header, settings.groups_header))
        self._tokens = {
            digest_of(each.token.get_secret_value()): User(each.name, each.role) for each in settings.tokens
        }

    def by_token(self, token: str) -> User | None:
        """Return the user of a token; None for a wrong one.

        Takes the same time for every wrong token, because digests are compared instead of tokens.
        """
        given, found = digest_of(token), None
        for digest, user in self._tokens.items():
            if hmac.compare_digest(digest, given):
                found = user
        return found

    def by_proxy(self, connection: HTTPConnection) -> User | None:
        """Return the user that a trusted proxy names; None without one, or if `proxy_login` is off.

        `TrustedProxies.apply` must have been called for the request. Raises Problem 400 if one of the headers has
        several values: a proxy that appends its header to the client's own names two users.
        """
        if not self._settings.proxy_login:
            return None
        name = _single(connection, self._settings.user_header)
        if not name:
            return None
        if "," in name:
            raise _ambiguous(self._settings.user_header)
        groups = {each.strip() for each in _single(connection, self._settings.groups_header).split(",")}
        operator = bool(groups & set(self._settings.operator_groups))
        return User(name[:_MAX_NAME_CHARS], "operator" if operator else "viewer")

    def token_digest(self, user: User) -> bytes | None:
        """Return the digest of the configured token of this user; None if no token has this name and role."""
        return next((digest for digest, each in self._tokens.items() if each == user), None)


def bearer_of(connection: HTTPConnection) -> str | None:
    """Return the bearer token of a request; None if it has none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _single(connection: HTTPConnection, name: str) -> str:
    values = connection.headers.getlist(name) if name else []
    if len(values) > 1:
        raise _ambiguous(name)
    return "".join(values).strip()


def _ambiguous(name: str) -> Problem:
    message = f"the header {name} has several values; the proxy must remove it from requests before it sets its own"
    return Problem(400, "ambiguous_identity", message)


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
