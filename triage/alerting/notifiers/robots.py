"""Notifiers for group robots of WeCom and DingTalk: Markdown by webhook; errors come in the body of a 200 response."""

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from typing import Any

import httpx
import msgspec

from triage.alerting.links import ActionLinks
from triage.alerting.notifiers.base import Notification, Throttled
from triage.alerting.notifiers.chat import ChatNotifier
from triage.alerting.notifiers.text import markdown
from triage.alerting.wording import Wording
from triage.clock import Clock, SystemClock
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.runtime.rate_limiter import Rate

_RATE = Rate(burst=5, per_s=15 / 60)  # their limit: 20 in any minute
_WAIT_S = 60.0
_BUSY = -1


class _Answer(msgspec.Struct):
    errcode: int
    errmsg: str = ""


class _Robot(ChatNotifier, ABC):
    """Base class of the WeCom and DingTalk notifiers.

    `throttled` and `denied` are the error codes for too many messages and for refused access; `limit_bytes` is the
    longest text.
    """

    rate = _RATE
    throttled: frozenset[int]
    denied: frozenset[int]
    limit_bytes: int

    async def send(self, notification: Notification) -> None:
        body = await self._post.post(msgspec.json.encode(self.message(notification)), params=self.parameters())
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unavailable(self.name, f"answered without an error code: {body[:100]!r}") from error
        if answer.errcode == 0:
            return
        text = f"errcode {answer.errcode}: {answer.errmsg[:300]}"
        if answer.errcode in self.throttled:
            raise Throttled(self.name, text, _WAIT_S)
        if answer.errcode == _BUSY:
            raise Unavailable(self.name, text)
        if answer.errcode in self.denied:
            raise AccessDenied(self.name, f"{text}; check alerting.{self.name}_url and the robot's security settings")
        raise DependencyError(self.name, text)

    @abstractmethod
    def message(self, notification: Notification) -> dict[str, Any]:
        """The body of the request for a notification."""

    def parameters(self) -> dict[str, str] | None:
        return None

    def text(self, notification: Notification) -> tuple[str, str]:
        """Title and Markdown of a notification; the Markdown has at most `limit_bytes` bytes."""
        content = self.content(notification)
        return content.title, markdown(content, self._wording, self.limit_bytes)


class WeComNotifier(_Robot):
    """Sends alerts to a group robot of WeCom.

    Its URL is `.../cgi-bin/webhook/send?key=...`; a message is limited to 4,096 bytes.
    """

    name = "wecom"
    throttled = frozenset({45009, 45033})
    denied = frozenset({93000, 93004, 93008})
    limit_bytes = 4096

    def message(self, notification: Notification) -> dict[str, Any]:
        _, text = self.text(notification)
        return {"msgtype": "markdown", "markdown": {"content": text}}


class DingTalkNotifier(_Robot):
    """Sends alerts to a group robot of DingTalk.

    Its URL is `.../robot/send?access_token=...`; if a secret is set, each request is signed over the current time in
    ms.
    """

    name = "dingtalk"
    throttled = frozenset({130101, 302033, 410100})
    denied = frozenset({300001, 310000})
    limit_bytes = 18_000

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        wording: Wording | None = None,
        links: ActionLinks | None = None,
        *,
        secret: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url, timeout_s, transport, wording, links)
        self._secret = secret
        # DingTalk refuses times that are an hour off: never simulated time.
        self._clock = clock or SystemClock()

    def message(self, notification: Notification) -> dict[str, Any]:
        title, text = self.text(notification)
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}

    def parameters(self) -> dict[str, str] | None:
        if self._secret is None:
            return None
        timestamp = str(self._clock.now_ms())
        digest = hmac.new(self._secret.encode(), f"{timestamp}\n{self._secret}".encode(), hashlib.sha256).digest()
        return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
