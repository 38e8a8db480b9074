"""Notifier for any HTTP receiver: the alert as JSON, optionally signed.

The signature is an HMAC-SHA256 over time and body, and names the version of its key.
"""

import hashlib
import hmac
from dataclasses import dataclass

import httpx
import msgspec

from triage.alerting.links import ActionLinks
from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.http import JsonPost
from triage.clock import Clock, SystemClock, rfc3339

TIMESTAMP = "x-triage-timestamp"
SIGNATURE = "x-triage-signature"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The secret that signs the requests of a webhook.

    `version` is part of the signature, so that a receiver can accept an old and a new key during a change.
    """

    version: str
    secret: str

    def __repr__(self) -> str:
        return f"SigningKey(version={self.version!r})"


class WebhookNotifier:
    """Posts an alert as JSON to any HTTP receiver, and signs the request if there is a key.

    The body is `{"event", "dedup_key", "resent", "repeat", "alert": {...}, "also": [{...}], "told_at", "over_since",
    "links": {...}}`, with the fields of `Notification`. The header `Idempotency-Key` is the same for every attempt at
    one event of one episode. Each attempt is signed with its own time, from the real clock, because receivers compare
    it with theirs.
    """

    name = "webhook"
    acknowledges = True
    notes = True

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        key: SigningKey | None = None,
        clock: Clock | None = None,
        links: ActionLinks | None = None,
    ) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)
        self._key = key
        self._clock = clock or SystemClock()
        self._links = links

    async def send(self, notification: Notification) -> None:
        alert = notification.alert
        body = msgspec.json.encode(
            {
                "event": notification.event,
                "dedup_key": alert.dedup_key,
                "resent": notification.resent,
                "repeat": notification.repeat,
                "alert": alert,
                "also": notification.also,
                "told_at": None if notification.told_ms is None else rfc3339(notification.told_ms),
                "over_since": notification.over_since,
                "links": self._addresses(notification),
            }
        )
        # A repeat has its own key: a receiver that deduplicates must not drop it as the first page.
        again = f":{alert.updated_at}" if notification.repeat or notification.event == "note" else ""
        headers = {"idempotency-key": f"{alert.dedup_key}:{notification.event}{again}"}
        if self._key is not None:
            headers |= signed(self._key, body, self._clock.now_ms() // 1000)
        await self._post.post(body, headers)

    def _addresses(self, notification: Notification) -> dict[str, str]:
        """By action, the address of the link that takes it; none but for an alert that fires."""
        if self._links is None or notification.event != "firing":
            return {}
        return {link.action: link.url for link in self._links.of(notification.alert.dedup_key, self.name)}

    async def close(self) -> None:
        await self._post.close()


def signed(key: SigningKey, body: bytes, timestamp_s: int) -> dict[str, str]:
    """The two headers that sign a request: the time in seconds, and the signature.

    The signature is `VERSION=HEX` of HMAC-SHA256 over `TIMESTAMP.BODY`.
    """
    digest = hmac.new(key.secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: str(timestamp_s), SIGNATURE: f"{key.version}={digest}"}
