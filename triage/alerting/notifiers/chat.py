"""Base class of notifiers that post chat messages to a webhook."""

import httpx

from triage.alerting.links import ActionLinks
from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.content import Content, compose
from triage.alerting.notifiers.http import JsonPost
from triage.alerting.wording import Wording, wording_for


class ChatNotifier:
    """Base class of notifiers that post chat messages to the webhook URL of a channel or group, which is a secret.

    It also posts acknowledgements and notes.
    """

    name: str
    acknowledges = True
    notes = True

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        wording: Wording | None = None,
        links: ActionLinks | None = None,
    ) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)
        self._wording = wording or wording_for("en")
        self._links = links

    def content(self, notification: Notification) -> Content:
        """The content of a message, including the links by which readers act on the alert."""
        links = () if self._links is None else self._links.of(notification.alert.dedup_key, self.name)
        return compose(notification, self._wording, links)

    async def close(self) -> None:
        await self._post.close()
