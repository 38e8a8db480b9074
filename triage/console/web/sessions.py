"""Sessions of browsers: signed cookies."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from itsdangerous import BadData, Signer, URLSafeSerializer
from pydantic import SecretStr

from triage.config import ConsoleSettings
from triage.web.identity import Identities, User

COOKIE = "triage_session"


def signing_key(session_key: SecretStr | None) -> bytes:
    """The key that consoles share, or one for this process alone."""
    return session_key.get_secret_value().encode() if session_key else secrets.token_bytes(32)


def signer(key: bytes, purpose: str) -> Signer:
    """Signs values for one purpose: a signature for another one is refused."""
    return Signer(key, purpose, key_derivation="hmac", digest_method=hashlib.sha256)


class Sessions:
    """Issues and verifies the values of session cookies; keeps nothing but the key."""

    def __init__(
        self, settings: ConsoleSettings, identities: Identities, now_s: Callable[[], float] = time.time
    ) -> None:
        self._identities = identities
        self._lasts_s = settings.session_hours * 3600
        self._now_s = now_s
        self._key = signing_key(settings.session_key)
        self._serializer = URLSafeSerializer(
            self._key, "triage sessions", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
        )

    def issue(self, user: User) -> str:
        """The value of the cookie: name and role, when it ends, and what ties it to the user's token."""
        until_s = self._now_s() + self._lasts_s
        return str(self._serializer.dumps([user.name, user.role, until_s, self._token_mark(user)]))

    def user(self, cookie: str) -> User | None:
        """None for a cookie that was not issued here, has ended, or whose token was taken away or changed."""
        try:
            name, role, until_s, mark = self._serializer.loads(cookie)
        except BadData:
            return None
        user = User(name, role)
        ended = self._now_s() >= until_s or not hmac.compare_digest(mark, self._token_mark(user))
        return None if ended else user

    def _token_mark(self, user: User) -> str:
        """Differs for each token: a session ends when the user's token is removed or changed."""
        token = self._identities.token_digest(user)
        return "" if token is None else hmac.digest(self._key, token, "sha256").hex()
