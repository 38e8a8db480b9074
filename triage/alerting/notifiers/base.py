"""Interface of notifiers: one attempt to deliver one notification to one receiver."""

from dataclasses import dataclass
from typing import Protocol

from triage.errors import DependencyError, Unavailable
from triage.schemas.alert import Alert, Event


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to receivers on a page, its acknowledgement or its resolve, or a note of what somebody did with it.

    `also` are the other alerts on the page.

    `resent`: the receiver may have taken it before. `repeat`: the page still fires and nobody has acknowledged it. The
    dedup key is the same in both cases. `told_ms` is the time of this attempt; `over_since` is when the alert ended, if
    that was before it.
    """

    event: Event
    alert: Alert
    resent: bool = False
    repeat: bool = False
    also: tuple[Alert, ...] = ()
    told_ms: int | None = None
    over_since: str | None = None


class Throttled(Unavailable):
    """The receiver is available but asks to wait `retry_after_s` seconds before the next request."""

    def __init__(self, dependency: str, message: str, retry_after_s: float) -> None:
        super().__init__(dependency, message)
        self.retry_after_s = retry_after_s


class Refused(DependencyError):  # noqa: N818 - describes the answer
    """The receiver refuses every request until someone mends a setting, there or here: for example, a wrong address."""


class Notifier(Protocol):
    """Delivers notifications to one kind of receiver. `send` is one attempt and keeps no state; the caller retries.

    Optional attributes: with `acknowledges` true, it also gets the event `acknowledged`, with `notes` true the event
    `note`; with a `rate`, it is called no more often; with `resend_every_s`, a page is sent to it again that often
    while it fires.
    """

    name: str

    async def send(self, notification: Notification) -> None:
        """Make one attempt to deliver a notification.

        Raises Unavailable if another attempt can succeed by itself, AccessDenied or Refused if it can once someone has
        mended a setting, any other DependencyError if none can.
        """
        ...

    async def close(self) -> None: ...
