"""The alert as JSON to any receiver."""

import httpx
import msgspec

from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.http import JsonPost


class WebhookNotifier:
    """Posts `{"event": "firing"|"resolved", "dedup_key": ..., "resent": ..., "alert": {...}}`.

    The header `Idempotency-Key` is the same for every attempt at one event of one episode.
    """

    name = "webhook"

    def __init__(self, url: str, timeout_s: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)

    async def send(self, notification: Notification) -> None:
        alert = notification.alert
        body = {
            "event": notification.event,
            "dedup_key": alert.dedup_key,
            "resent": notification.resent,
            "alert": alert,
        }
        await self._post.post(msgspec.json.encode(body), {"idempotency-key": f"{alert.dedup_key}:{notification.event}"})

    async def close(self) -> None:
        await self._post.close()
