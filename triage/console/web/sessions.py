"""Browser sessions: signed cookies whose ids can be revoked, and web sockets that end with their session."""

import asyncio
import contextlib
import hashlib
import hmac
import math
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TTLCache
from itsdangerous import BadData, URLSafeSerializer
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage.config import ConsoleSettings
from triage.web.identity import Identities, User

COOKIE = "triage_session"
_MAX_REVOKED = 10_000
_POLICY_VIOLATION = 1008


def signing_key(session_key: SecretStr | None) -> bytes:
    """Return the key for signatures: `session_key`, which several consoles share, or a random key if that is None."""
    return session_key.get_secret_value().encode() if session_key else secrets.token_bytes(32)


def serializer(key: bytes, purpose: str) -> URLSafeSerializer:
    """Return a serializer that signs values for one `purpose`, and refuses signatures made for another."""
    return URLSafeSerializer(key, purpose, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256})


@dataclass(frozen=True, slots=True)
class Session:
    """A user's login until logout or expiry; times are in seconds since the epoch.

    `token_mark` is a keyed hash of the user's token, which reveals a change of the token.
    """

    id: str
    user: User
    token_mark: str
    began_at_s: float
    ends_at_s: float


class Sessions:
    """Creates, verifies and revokes sessions. Use it on the event loop.

    The cookie contains the session; the process keeps the ids of revoked ones until they would have expired, at most
    10,000. If one of these has to be forgotten, all sessions that began at the same time or earlier are refused, so
    that no revoked session becomes valid again. For the same reason sessions from before the start of the process are
    refused.
    """

    def __init__(
        self, settings: ConsoleSettings, identities: Identities, now_s: Callable[[], float] = time.time
    ) -> None:
        self._identities = identities
        self._lasts_s = settings.session_hours * 3600
        self._now_s = now_s
        self._not_before_s = now_s()
        self._key = signing_key(settings.session_key)
        self._serializer = serializer(self._key, "triage sessions")
        self._revoked: TTLCache[str, Session] = TTLCache(_MAX_REVOKED, self._lasts_s, now_s)
        self._sockets: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def begin(self, user: User) -> Session:
        """Create a session for a user, with a random id of 128 bits."""
        now_s = self._now_s()
        return Session(secrets.token_urlsafe(16), user, self._token_mark(user), now_s, now_s + self._lasts_s)

    def cookie(self, session: Session) -> str:
        """Return the signed cookie value for a session."""
        user = session.user
        fields = [session.id, user.name, user.role, session.token_mark, session.began_at_s, session.ends_at_s]
        return str(self._serializer.dumps(fields))

    def find(self, cookie: str) -> Session | None:
        """Return the open session of a cookie's value; None if its signature is invalid or the session has ended."""
        try:
            session_id, name, role, *others = self._serializer.loads(cookie)
        except BadData:
            return None
        session = Session(session_id, User(name, role), *others)
        return session if self.is_open(session) else None

    def is_open(self, session: Session) -> bool:
        """True until the session is revoked or expires, or the user's token is removed or changed."""
        return (
            self._not_before_s <= session.began_at_s
            and self._now_s() < session.ends_at_s
            and session.id not in self._revoked
            and hmac.compare_digest(session.token_mark, self._token_mark(session.user))
        )

    def revoke(self, session: Session) -> None:
        """End a login session and close its web sockets."""
        self._revoked.expire()
        if len(self._revoked) >= _MAX_REVOKED:
            # Just after the latest one: sessions that began no later are refused.
            latest_s = max(each.began_at_s for each in self._revoked.values())
            self._not_before_s = math.nextafter(max(self._not_before_s, latest_s), math.inf)
            self._revoked.clear()
        self._revoked[session.id] = session
        for ended in self._sockets.pop(session.id, ()):
            ended.set()

    async def serve_socket(self, session: Session, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a web socket until its session ends; the session is checked at each message."""
        ending = asyncio.create_task(self._wait_for_end(session))

        async def receive_while_open() -> Message:
            receiving = asyncio.ensure_future(receive())
            try:
                await asyncio.wait({receiving, ending}, return_when=asyncio.FIRST_COMPLETED)
                if receiving.done() and not ending.done() and self.is_open(session):
                    return receiving.result()
            finally:
                receiving.cancel()
            with contextlib.suppress(Exception):  # the browser may have closed it just now
                await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}

        try:
            await app(scope, receive_while_open, send)
        finally:
            ending.cancel()

    async def _wait_for_end(self, session: Session) -> None:
        ended = asyncio.Event()
        self._sockets[session.id].add(ended)
        try:
            async with asyncio.timeout(max(0.0, session.ends_at_s - self._now_s())):
                await ended.wait()
        except TimeoutError:
            pass
        finally:
            sockets = self._sockets.get(session.id, set())
            sockets.discard(ended)
            if not sockets:
                self._sockets.pop(session.id, None)

    def _token_mark(self, user: User) -> str:
        """A keyed hash (hex) of the user's token; empty for users without one."""
        token = self._identities.token_digest(user)
        return "" if token is None else hmac.digest(self._key, token, "sha256").hex()
