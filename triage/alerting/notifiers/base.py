"""What a notifier is: it takes one notification to one receiver, once, and says whether trying again can help."""

from dataclasses import dataclass
from typing import Protocol

from triage.errors import Unavailable
from triage.schemas.alert import Alert, Event


@dataclass(frozen=True, slots=True)
class Notification:
    """A page, its acknowledgement or its resolve; `also` are other alerts that it tells of under the same key.

    `resent`: the receiver may have had it before. `repeat`: it still fires and nobody has acknowledged it. The dedup
    key is the same either way.
    """

    event: Event
    alert: Alert
    resent: bool = False
    repeat: bool = False
    also: tuple[Alert, ...] = ()


class Throttled(Unavailable):
    """The receiver is there but asks to wait `retry_after_s`."""

    def __init__(self, dependency: str, message: str, retry_after_s: float) -> None:
        super().__init__(dependency, message)
        self.retry_after_s = retry_after_s


class Notifier(Protocol):
    """Attempts are made by the caller: `send` is one attempt and keeps no state.

    One that also wants the event `acknowledged` has an attribute `acknowledges` that is true; one with a `rate` is not
    called more often than that; one with `resend_every_s` is told of a page again that often while it fires.
    """

    name: str

    async def send(self, notification: Notification) -> None:
        """Deliver once. Raises Unavailable where another attempt can help, DependencyError where none can."""
        ...

    async def close(self) -> None: ...
