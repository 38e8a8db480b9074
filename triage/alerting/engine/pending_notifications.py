"""Notifications that receivers have still to take. Pure."""

from collections.abc import Callable, Iterable

from triage.alerting.engine.state import PendingNotification
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PageNotification
from triage.schemas.alert import Alert, Event


class PendingNotifications:
    """What is owed, by its id, oldest first; `acknowledging` receivers want to hear of an acknowledgement."""

    def __init__(self, acknowledging: frozenset[str]) -> None:
        # By dedup key of the page and id, so that none is searched for.
        self._by_page: dict[str, dict[str, PendingNotification]] = {}
        self._acknowledging = acknowledging

    def restore(self, owed: Iterable[PendingNotification]) -> None:
        """Take over what is stored, oldest first."""
        for each in owed:
            self._put(each)

    @property
    def keys(self) -> set[str]:
        """Dedup keys of the pages owed."""
        return set(self._by_page)

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
            late = {name for owed in self._of_page(page.key) for name in owed.pending}
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
        self._put(owed)
        return owed

    def without_page(self, key: str) -> set[str]:
        """Receivers that have not had the first word of a page yet."""
        first = (owed for owed in self._of_page(key) if owed.event == "firing" and not owed.repeat)
        return {name for owed in first for name in owed.pending}

    def delivered(self, dedup_key: str, event: Event, receiver: str) -> PendingNotification | None:
        """A receiver took a notification, or never will; returns it, forgotten once nobody has still to take it."""
        for owed in self._of_page(dedup_key):
            if owed.event == event and receiver in owed.pending:
                owed.pending.remove(receiver)
                if not owed.pending:
                    of_page = self._by_page[dedup_key]
                    del of_page[owed.id]
                    if not of_page:
                        del self._by_page[dedup_key]
                return owed
        return None

    def _of_page(self, key: str) -> Iterable[PendingNotification]:
        return self._by_page.get(key, {}).values()

    def _put(self, owed: PendingNotification) -> None:
        self._by_page.setdefault(owed.alert.dedup_key, {})[owed.id] = owed
