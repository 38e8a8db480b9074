"""Base class of notifiers that post chat messages to a webhook."""

import httpx

from triage.alerting.notifiers.http import JsonPost
from triage.alerting.wording import Wording, wording_for


class ChatNotifier:
    """Base class of notifiers that post chat messages to the URL of a channel or group, which is a secret.

    Acknowledgements are posted, too.
    """

    name: str
    acknowledges = True

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        wording: Wording | None = None,
    ) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)
        self._wording = wording or wording_for("en")

    async def close(self) -> None:
        await self._post.close()
