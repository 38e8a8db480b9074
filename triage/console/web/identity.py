"""Who asks the console: what `triage.web` tells, and signed sessions of browsers."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from triage.config import ConsoleSettings
from triage.web import identity
from triage.web.identity import ANONYMOUS, User

__all__ = ["ANONYMOUS", "COOKIE", "Identities", "User"]

COOKIE = "triage_session"


class Identities(identity.Identities):
    """Tells users from tokens, cookies and headers; keeps nothing but the key that signs sessions."""

    def __init__(self, settings: ConsoleSettings, now_s: Callable[[], float] = time.time) -> None:
        super().__init__(settings)
        self._settings = settings
        self._now_s = now_s
        given = settings.session_key
        self._key = given.get_secret_value().encode() if given else secrets.token_bytes(32)

    def session(self, user: User) -> str:
        """The value of the cookie: name and role, when it ends, and a signature over them."""
        until = int(self._now_s() + self._settings.session_hours * 3600)
        claims = base64.urlsafe_b64encode(f"{user.name}|{user.role}|{until}".encode()).decode()
        return f"{claims}.{self._sign(claims)}"

    def by_session(self, value: str) -> User | None:
        """None for a cookie that is not ours, is over, or names somebody whose token was taken away or changed."""
        claims, _, signature = value.partition(".")
        if not hmac.compare_digest(self._sign(claims).encode(), signature.encode("utf-8", "replace")):
            return None
        name, role, until = base64.urlsafe_b64decode(claims).decode().rsplit("|", 2)
        if self._now_s() >= int(until):
            return None
        return next((user for user in self._tokens.values() if (user.name, user.role) == (name, role)), None)

    def _sign(self, claims: str) -> str:
        name = base64.urlsafe_b64decode(claims + "==" if len(claims) % 4 else claims) if _is_base64(claims) else b""
        # The token's digest is part of the key: a session ends when its token changes.
        token = next((d for d, user in self._tokens.items() if name.startswith(f"{user.name}|".encode())), b"")
        return hmac.new(self._key + token, claims.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return False
    return True
