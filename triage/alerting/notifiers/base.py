"""Interface of notifiers: one attempt to deliver one notification to one receiver."""

from dataclasses import dataclass
from typing import Protocol

from triage.errors import DependencyError, Unavailable
from triage.schemas.alert import Alert, Event


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to receivers: a page, its acknowledgement, its resolve, or a note about another user's action.

    `also` are the other alerts on the page. `resent`: the receiver may have received it before. `repeat`: the page
    still fires and nobody has acknowledged it. The dedup key is the same in both cases. `told_ms` is the time of this
    attempt; `over_since` is when the alert ended, if it ended before this attempt.
    """

    event: Event
    alert: Alert
    resent: bool = False
    repeat: bool = False
    also: tuple[Alert, ...] = ()
    told_ms: int | None = None
    over_since: str | None = None


class Throttled(Unavailable):
    """The receiver is available but asks for a pause of `retry_after_s` seconds before the next request."""

    def __init__(self, dependency: str, message: str, retry_after_s: float) -> None:
        super().__init__(dependency, message)
        self.retry_after_s = retry_after_s


class Refused(DependencyError):  # noqa: N818 - describes the answer
    """The receiver refuses every request until a setting here or at the receiver is corrected, such as an address."""


class Notifier(Protocol):
    """Delivers notifications to one kind of receiver. `send` is one attempt and keeps no state; the caller retries.

    Optional attributes: `acknowledges` (true: it also gets the event `acknowledged`), `notes` (true: it also gets the
    event `note`), `rate` (limit on calls), `resend_every_s` (a page is sent again at this interval while it fires).
    """

    name: str

    async def send(self, notification: Notification) -> None:
        """Make one attempt to deliver a notification.

        Raises Unavailable if a retry may succeed, AccessDenied or Refused if a retry may succeed once a setting is
        corrected, and another DependencyError if no retry can succeed.
        """
        ...

    async def close(self) -> None: ...
