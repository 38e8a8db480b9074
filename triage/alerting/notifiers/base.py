"""What a notifier is: it takes one notification to one receiver, once, and says whether trying again can help."""

from dataclasses import dataclass
from typing import Protocol

from triage.errors import Unavailable
from triage.schemas.alert import Alert, AlertStatus


@dataclass(frozen=True, slots=True)
class Notification:
    """A page or its resolve. `resent`: the receiver may have had it before; the dedup key is the same."""

    event: AlertStatus
    alert: Alert
    resent: bool = False


class Throttled(Unavailable):
    """The receiver is there but asks to wait `retry_after_s`."""

    def __init__(self, dependency: str, message: str, retry_after_s: float) -> None:
        super().__init__(dependency, message)
        self.retry_after_s = retry_after_s


class Notifier(Protocol):
    """Attempts are made by the caller: `send` is one attempt and keeps no state."""

    name: str

    async def send(self, notification: Notification) -> None:
        """Deliver once. Raises Unavailable where another attempt can help, DependencyError where none can."""
        ...

    async def close(self) -> None: ...
