"""Who asks: by a token, or the word of a proxy that logs people in."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from triage.config import WebSettings
from triage.logging import get_logger
from triage.web.address import TrustedProxies
from triage.web.login_throttle import LoginThrottle

log = get_logger("triage.web")

Role = Literal["viewer", "operator"]


@dataclass(frozen=True, slots=True)
class User:
    """Name and role. Without any login everybody is an operator named `anonymous`."""

    name: str
    role: Role

    @property
    def may_act(self) -> bool:
        """Change something: acknowledge, silence, send records, correct labels."""
        return self.role == "operator"


ANONYMOUS = User("anonymous", "operator")


class Identities:
    """Tells users from tokens and headers."""

    def __init__(self, settings: WebSettings) -> None:
        self._web = settings
        self.proxies = TrustedProxies(settings.trusted_proxies)
        self._tokens = {
            digest_of(each.token.get_secret_value()): User(each.name, each.role) for each in settings.tokens
        }

    def by_token(self, token: str) -> User | None:
        """In the same time for every wrong token: digests are compared, not tokens."""
        given, found = digest_of(token), None
        for digest, user in self._tokens.items():
            if hmac.compare_digest(digest, given):
                found = user
        return found

    def by_proxy(self, connection: HTTPConnection) -> User | None:
        """The user that a trusted proxy names; what others send in these headers counts for nothing."""
        headers = connection.headers
        name = headers.get(self._web.user_header.lower(), "").strip()
        if not name or not self.proxies.sent(connection):
            return None
        groups = {each.strip() for each in headers.get(self._web.groups_header.lower(), "").split(",")}
        operator = bool(groups & set(self._web.operator_groups))
        return User(name[:100], "operator" if operator else "viewer")


def bearer_of(connection: HTTPConnection) -> str | None:
    """The bearer token of a request, None where it carries none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def by_token(token: str, connection: HTTPConnection, identities: Identities, tries: LoginThrottle) -> User | None:
    """The user of a token, None for a wrong one. Raises TooManyTries.

    Nothing is awaited between the check and the count: requests sent at once are not more tries.
    """
    address = identities.proxies.client_of(connection)
    tries.check(address)
    user = identities.by_token(token)
    if user is None and tries.failed(address, digest_of(token)):
        log.warning("token_refused", address=address)
    return user


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
