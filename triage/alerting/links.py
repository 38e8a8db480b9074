"""Signed links in notifications, by which a receiver acts on an alert: created here, read by the console. Pure.

A link is a capability: it names the alert (one episode), one action, the receiver, the role of whoever opens it and its
expiry, and is signed. Its id is random, and becomes the id of the action that it triggers: so the topic of actions
records which links were used.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from itsdangerous import BadData, URLSafeSerializer

from triage.clock import Clock
from triage.config import AlertingSettings

LinkAction = Literal["acknowledge", "snooze", "morning", "silence", "right", "false"]
LinkRole = Literal["operator", "viewer"]
LINK_ACTIONS: tuple[LinkAction, ...] = get_args(LinkAction)
# In messages of a robot there is room for few.
SNOOZE_S = 3600
SILENCE_S = 7200
PATH = "act"
_PURPOSE = "triage alert links 1"
_ID_BYTES = 9


@dataclass(frozen=True, slots=True)
class Link:
    """The content of a link. `ends_s` is its expiry in seconds since the epoch; the role `viewer` permits no action."""

    id: str
    dedup_key: str
    action: LinkAction
    receiver: str
    role: LinkRole
    ends_s: int


@dataclass(frozen=True, slots=True)
class ActionLink:
    """A link in a message: the action, and the URL of its confirmation page."""

    action: LinkAction
    url: str


class LinkSigner:
    """Signs links, and verifies them. The first key signs; all keys are accepted, so that keys can be replaced."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous takes the newest key last.
        self._serializer = URLSafeSerializer(
            list(reversed(keys)),
            _PURPOSE,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def token(self, link: Link) -> str:
        fields = [link.id, link.dedup_key, link.action, link.receiver, link.role, link.ends_s]
        return str(self._serializer.dumps(fields))

    def read(self, token: str) -> Link | None:
        """Decode the link of a token; None if none of the keys signed it."""
        try:
            link_id, dedup_key, action, receiver, role, ends_s = self._serializer.loads(token)
        except (BadData, ValueError):
            return None
        return Link(link_id, dedup_key, action, receiver, role, ends_s) if action in LINK_ACTIONS else None


class ActionLinks:
    """Creates the action links of notifications; none if the settings have no signing key."""

    def __init__(
        self,
        settings: AlertingSettings,
        clock: Clock,
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(_ID_BYTES),
    ) -> None:
        keys = settings.link_key_list()
        self._signer = LinkSigner(keys) if keys else None
        self._base = settings.console_url.rstrip("/")
        self._lasts_s = round(settings.link_hours * 3600)
        self._viewers = frozenset(settings.link_viewers)
        self._clock = clock
        self._new_id = new_id

    def of(self, dedup_key: str, receiver: str) -> list[ActionLink]:
        """Create one link for each action on an alert, for the messages to one receiver; each can be used once."""
        if self._signer is None:
            return []
        ends_s = self._clock.now_ms() // 1000 + self._lasts_s
        role: LinkRole = "viewer" if receiver in self._viewers else "operator"
        return [
            ActionLink(
                action,
                f"{self._base}/{PATH}/"
                + self._signer.token(Link(self._new_id(), dedup_key, action, receiver, role, ends_s)),
            )
            for action in LINK_ACTIONS
        ]
