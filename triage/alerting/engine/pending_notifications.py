"""Notifications that some receivers have not accepted yet. Pure."""

from collections.abc import Callable, Iterable

import msgspec

from triage.alerting.engine.state import PendingNotification
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PageNotification
from triage.schemas.alert import Alert, Event


class PendingNotifications:
    """Notifications of one partition that some receivers have not accepted yet, oldest first.

    Only the receivers in `acknowledging` get acknowledgements, and only those in `noting` get notes of other actions.
    """

    def __init__(self, acknowledging: frozenset[str], noting: frozenset[str] = frozenset()) -> None:
        # By dedup key of the page and then by id, so that nothing walks over all of them.
        self._by_page: dict[str, dict[str, PendingNotification]] = {}
        self._told_of: dict[Event, frozenset[str]] = {"acknowledged": acknowledging, "note": noting}

    def restore(self, notifications: Iterable[PendingNotification]) -> None:
        """Continue with stored notifications, given oldest first."""
        for notification in notifications:
            self._put(notification)

    @property
    def page_keys(self) -> set[str]:
        """Dedup keys of the pages that have a pending notification."""
        return set(self._by_page)

    def add(
        self,
        request: PageNotification,
        episode: Callable[[str], Episode | None],
        alert: Callable[[Episode], Alert],
        serial: int,
        action_ms: int | None,
    ) -> PendingNotification | None:
        """Create the notification for `request` and keep it until all receivers accepted it; None if none needs it.

        `episode` returns an episode by dedup key, `alert` the alert document of an episode. `serial` is that of the
        entry `state` written with it. `action_ms` is the time of the user's action that caused it; None for other
        causes.
        """
        page = request.page
        lead = episode(page.key)
        if lead is None:
            return None
        receivers = list(page.receivers)
        if (told := self._told_of.get(request.event)) is not None:
            receivers = [name for name in receivers if name in told]
        if request.event != "firing" and lead.taken_by is not None:
            # Where no page arrived, and none is on its way, nothing follows it.
            reached = {*lead.taken_by, *self.receivers_without_page(page.key)}
            receivers = [name for name in receivers if name in reached]
        if request.repeat:
            # A receiver that has not taken the notification before needs no repeat of it.
            waiting = {name for pending in self._of_page(page.key) for name in pending.pending}
            receivers = [name for name in receivers if name not in waiting]
        if not receivers:
            return None
        suffix = f":{page.repeats}" if request.repeat else f":{action_ms}" if action_ms is not None else ""
        others = [other for key in page.members[1:] if (other := episode(key)) is not None]

        def document(of: Episode) -> Alert:
            # Whoever reads it is being paged.
            return msgspec.structs.replace(alert(of), paged=True, not_paged_because=None, taken_by=[], refusals=[])

        notification = PendingNotification(
            id=f"{page.key}:{request.event}{suffix}",
            event=request.event,
            alert=document(lead),
            also=[document(other) for other in others],
            pending=receivers,
            repeat=request.repeat,
            serial=serial,
        )
        self._put(notification)
        return notification

    def receivers_without_page(self, key: str) -> set[str]:
        """Names of the receivers that have not accepted the first notification of this page yet."""
        first = (pending for pending in self._of_page(key) if pending.event == "firing" and not pending.repeat)
        return {name for notification in first for name in notification.pending}

    def find(self, dedup_key: str, event: Event, receiver: str) -> PendingNotification | None:
        """The oldest notification of a page and event that this receiver has not accepted yet, or None."""
        return next((n for n in self._of_page(dedup_key) if n.event == event and receiver in n.pending), None)

    def delivered(self, dedup_key: str, event: Event, receiver: str) -> PendingNotification | None:
        """Record that a notification is finished for a receiver: it was accepted or given up.

        Returns the notification with its remaining receivers; when none remain it is removed. None if no such
        notification is pending.
        """
        notification = self.find(dedup_key, event, receiver)
        if notification is not None:
            notification.pending.remove(receiver)
            if not notification.pending:
                self._remove(notification)
        return notification

    def _of_page(self, key: str) -> Iterable[PendingNotification]:
        return self._by_page.get(key, {}).values()

    def _put(self, notification: PendingNotification) -> None:
        self._by_page.setdefault(notification.alert.dedup_key, {})[notification.id] = notification

    def _remove(self, notification: PendingNotification) -> None:
        key = notification.alert.dedup_key
        del self._by_page[key][notification.id]
        if not self._by_page[key]:
            del self._by_page[key]
