"""Notifications that receivers have still to take. Pure."""

from collections.abc import Callable

from triage.alerting.engine.state import PendingNotification
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PageNotification
from triage.schemas.alert import Alert, Event


class PendingNotifications:
    """What is owed, by its id, oldest first; `acknowledging` receivers want to hear of an acknowledgement."""

    def __init__(self, acknowledging: frozenset[str]) -> None:
        self.owed: dict[str, PendingNotification] = {}
        self._acknowledging = acknowledging

    @property
    def keys(self) -> set[str]:
        """Dedup keys of the pages owed."""
        return {owed.alert.dedup_key for owed in self.owed.values()}

    def owe(
        self,
        telling: PageNotification,
        episode: Callable[[str], Episode | None],
        alert: Callable[[Episode], Alert],
        serial: int,
        action_ms: int | None,
    ) -> PendingNotification | None:
        """What receivers are to be told; None where there is none to tell. `action_ms`: when someone asked for it."""
        page = telling.page
        lead = episode(page.key)
        if lead is None:
            return None
        pending = list(page.receivers)
        if telling.event == "acknowledged":
            pending = [name for name in pending if name in self._acknowledging]
        if telling.repeat:
            # Whom the last one has not reached yet needs no other.
            late = {name for owed in self.owed.values() if owed.alert.dedup_key == page.key for name in owed.pending}
            pending = [name for name in pending if name not in late]
        if not pending:
            return None
        suffix = f":{page.repeats}" if telling.repeat else f":{action_ms}" if action_ms is not None else ""
        others = [other for key in page.members[1:] if (other := episode(key)) is not None]
        owed = PendingNotification(
            id=f"{page.key}:{telling.event}{suffix}",
            event=telling.event,
            alert=alert(lead),
            also=[alert(other) for other in others],
            pending=pending,
            repeat=telling.repeat,
            serial=serial,
        )
        self.owed[owed.id] = owed
        return owed

    def without_page(self, key: str) -> set[str]:
        """Receivers that have not had the first word of a page yet."""
        first = (o for o in self.owed.values() if o.alert.dedup_key == key and o.event == "firing" and not o.repeat)
        return {name for owed in first for name in owed.pending}

    def delivered(self, dedup_key: str, event: Event, receiver: str) -> PendingNotification | None:
        """A receiver took a notification, or never will; returns it, forgotten once nobody has still to take it."""
        for owed in self.owed.values():
            if owed.alert.dedup_key == dedup_key and owed.event == event and receiver in owed.pending:
                owed.pending.remove(receiver)
                if not owed.pending:
                    del self.owed[owed.id]
                return owed
        return None
