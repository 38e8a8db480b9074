"""The alert as JSON to any receiver, signed."""

import httpx
import msgspec

from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.http import JsonPost
from triage.alerting.notifiers.signature import SigningKey, signed
from triage.clock import Clock, SystemClock


class WebhookNotifier:
    """Posts `{"event", "dedup_key", "resent", "repeat", "alert": {...}, "also": [{...}]}`.

    The header `Idempotency-Key` is the same for every attempt at one event of one episode. With a key the body is
    signed; the time is real, for it is judged by the receiver's clock.
    """

    name = "webhook"
    acknowledges = True

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        key: SigningKey | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)
        self._key = key
        self._clock = clock or SystemClock()

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
            }
        )
        # A repeat is not the page again: one who deduplicates must not lose it.
        again = f":{alert.updated_at}" if notification.repeat else ""
        headers = {"idempotency-key": f"{alert.dedup_key}:{notification.event}{again}"}
        if self._key is not None:
            headers |= signed(self._key, body, self._clock.now_ms() // 1000)
        await self._post.post(body, headers)

    async def close(self) -> None:
        await self._post.close()
