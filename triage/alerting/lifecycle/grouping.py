"""Pages: grouping alerts, sending and repeating a page, and resolving it, as in Alertmanager. Pure.

*Who calls it.* `engine.episodes`, on the event loop's thread; nothing here blocks or waits.

*Time.* All times are event time: the end of the closed steps. The same counts therefore make the same pages, whenever
they are processed, and a replay behaves as the live run did. `run` must be called in order of time, once all steps that
end by then are closed.

*Who owns what.* `Paging` owns the pages and the timers of the groups; it changes `Page` objects in place. Episodes
belong to `engine.episodes`: they are never changed here, `run` returns changed copies.

*What is persisted.* `PagingState`, in the same entry as the episodes, so that the two never disagree after a crash.
Names of fields are names in the changelog.

Lifecycle of a page: an episode fires and its group's timer starts (`wait_for`) → the timer ends and the group's firing
alerts share a new page, or get the reason why they do not (`run`) → the page repeats until a user acknowledges it
(`run`) → all its alerts have ended (`resolve`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from triage.alerting.lifecycle.episode import LOG, Episode
from triage.alerting.lifecycle.inhibition import InhibitionIndex, precedence, rank
from triage.config import AlertingSettings
from triage.schemas.alert import Event


class Page(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A page: one notification about the alerts of one group, sent to `receivers`. Times are event time in ms.

    `members` are the dedup keys of its alerts; `key` is the first of them. `sent_ms` is when it was last sent or
    repeated.
    """

    key: str
    group: str
    receivers: list[str]
    members: list[str]
    sent_ms: int
    repeats: int = 0
    acknowledged: bool = False
    snoozed_until_ms: int | None = None


class PagingState(msgspec.Struct):
    """State of paging that survives a restart: the pages by key, and for each group two event times in ms.

    `waiting` is when the group's next page is due, `sent` when its last one was sent.
    """

    pages: dict[str, Page] = {}
    waiting: dict[str, int] = {}
    sent: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class PageNotification:
    """A message about a page to its receivers: it fires, still fires (`repeat`), was acknowledged, or is resolved.

    A `note` reports another user's action: a comment, an assignment, the end of an acknowledgement.
    """

    event: Event
    page: Page
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class PagingContext:
    """Functions by which `Paging` looks up properties of episodes and rules, which it does not own.

    `receivers(episode)` returns the receivers of its rule. `muted(episode, at_ms)` describes the silence in effect at
    that time; `too_old(end_ms)` explains why a page about that time is no longer sent; both return None if that does
    not apply. `all_mutes()` is true if an alert on all records together mutes the others.
    """

    group_of: Callable[[Episode], str]
    receivers: Callable[[Episode], list[str]]
    muted: Callable[[Episode, int], str | None]
    too_old: Callable[[int], str | None]
    all_mutes: Callable[[], bool]


class Paging:
    """Groups the firing alerts of one partition into pages, and decides when to send, repeat and resolve each page."""

    def __init__(self, settings: AlertingSettings, context: PagingContext) -> None:
        self.state = PagingState()
        self._context = context
        self._wait_ms = settings.group_wait_s * 1000
        self._interval_ms = settings.group_interval_s * 1000
        self._repeat_ms = settings.repeat_interval_s * 1000

    def due_ms(self) -> int | None:
        """Event time in ms at which the next page or repeat is due; None if there is none."""
        pages = (self._page_due_ms(page) for page in self.state.pages.values())
        return min((due for due in (*self.state.waiting.values(), *pages) if due is not None), default=None)

    def wait_for(self, episode: Episode, at_ms: int) -> None:
        """Start the timer of the group of a firing episode that is on no page, unless it is running.

        It runs for `group_wait_s` from `at_ms`, or longer: at least `group_interval_s` after the group's last page.
        """
        group = self._group(episode)
        if group in self.state.waiting or not self._context.receivers(episode):
            return
        due_ms = at_ms + self._wait_ms
        if (sent_ms := self.state.sent.get(group)) is not None:
            due_ms = max(due_ms, sent_ms + self._interval_ms)
        self.state.waiting[group] = due_ms

    def run(
        self, at_ms: int, episodes: Mapping[str, Episode], *, late: bool = False
    ) -> tuple[list[PageNotification], list[Episode]]:
        """Run the timers due by `at_ms` (event time in ms).

        Returns new and repeated pages, and changed copies of episodes.

        `late`: the timers were delayed while the alerter caught up; alerts that are quiet by now are not paged.
        """
        notifications, changed = [], []
        if due := sorted(group for group, due_ms in self.state.waiting.items() if due_ms <= at_ms):
            pages, updated = self._new_pages(due, at_ms, episodes, late=late)
            notifications += [PageNotification("firing", page) for page in pages]
            changed += updated
        for page in list(self.state.pages.values()):
            due_ms = self._page_due_ms(page)
            if due_ms is not None and due_ms <= at_ms:
                repeats, updated = self._repeat(page, at_ms, episodes)
                notifications += repeats
                changed += updated
        return notifications, changed

    def resolve(self, episodes: Mapping[str, Episode]) -> list[PageNotification]:
        """Remove the pages whose alerts have all ended; returns their resolve notifications."""
        over = [page for page in self.state.pages.values() if not self._firing(page, episodes)]
        for page in over:
            del self.state.pages[page.key]
        if over:
            groups = {page.group for page in self.state.pages.values()}
            for group in {page.group for page in over} - groups:
                self.state.sent.pop(group, None)
        return [PageNotification("resolved", page) for page in over]

    def acknowledge(self, page: Page) -> list[PageNotification]:
        """Stop the repeats of a page.

        Returns a notification of the acknowledgement; empty if it was already acknowledged.
        """
        if page.acknowledged:
            return []
        page.acknowledged = True
        return [PageNotification("acknowledged", page)]

    def unacknowledge(self, page: Page) -> list[PageNotification]:
        """Resume the repeats of a page. Returns a note about that; empty if nobody had acknowledged it."""
        if not page.acknowledged:
            return []
        page.acknowledged = False
        return [PageNotification("note", page)]

    def snooze(self, page: Page, until_ms: int) -> list[PageNotification]:
        """Stop the repeats of a page until `until_ms`; then an acknowledged page is repeated once, others as before.

        Returns a notification of the snooze; empty if the page was already acknowledged or snoozed.
        """
        known = page.acknowledged or page.snoozed_until_ms
        page.snoozed_until_ms = until_ms
        return [] if known else [PageNotification("acknowledged", page)]

    def _unpaged(self, episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
        """By group, the firing episodes that are on no page."""
        unpaged: dict[str, list[Episode]] = {}
        for episode in episodes:
            if episode.firing and episode.page is None:
                unpaged.setdefault(self._group(episode), []).append(episode)
        return unpaged

    def _new_pages(
        self, due: Iterable[str], at_ms: int, episodes: Mapping[str, Episode], *, late: bool
    ) -> tuple[list[Page], list[Episode]]:
        """The pages of the groups whose timers end, and changed copies of episodes.

        All groups are decided on together, parents before the children that they mute.
        """
        unpaged = self._unpaged(episodes.values())
        by_group: dict[str, list[Episode]] = {}
        changed: list[Episode] = []
        for group in due:
            del self.state.waiting[group]
        muting = _Muting(self, at_ms, episodes)
        candidates = ((episode, group) for group in due for episode in unpaged.get(group, ()))
        for episode, group in sorted(candidates, key=lambda candidate: precedence(candidate[0])):
            reason = self._own_reason(episode, at_ms) or muting.reason(episode)
            if late and episode.state == "recovering":
                reason = reason or "it was quiet again when the alerter had caught up"
            if reason is None and (parent := muting.parent_to_wait_for(episode)) is not None:
                # Its page is about to be decided on: this one follows then, if it is not muted by it.
                reason = f"waits for the page of the alert {parent.dedup_key} of rule {parent.rule}"
                self.state.waiting[group] = max(
                    self.state.waiting.get(group, 0), self.state.waiting[self._group(parent)]
                )
            if reason is None:
                by_group.setdefault(group, []).append(episode)
                muting.coming.add(episode.dedup_key)
            elif reason != episode.not_paged_because:
                changed.append(msgspec.structs.replace(episode, not_paged_because=reason))
        pages = [self._new_page(group, at_ms, by_group[group], changed) for group in due if group in by_group]
        return pages, changed

    def _new_page(self, group: str, at_ms: int, paged: list[Episode], changed: list[Episode]) -> Page:
        paged.sort(key=lambda e: (rank(e), len(e.dimensions), -e.peak_negative, e.dedup_key))
        members = [episode.dedup_key for episode in paged]
        page = Page(
            key=members[0], group=group, receivers=self._context.receivers(paged[0]), members=members, sent_ms=at_ms
        )
        self.state.pages[page.key] = page
        self.state.sent[group] = at_ms
        if (due_ms := self.state.waiting.get(group)) is not None:
            self.state.waiting[group] = max(due_ms, at_ms + self._interval_ms)
        changed += [
            msgspec.structs.replace(e, page=page.key, not_paged_because=None, taken_by=[], refusals=[]) for e in paged
        ]
        return page

    def _own_reason(self, episode: Episode, at_ms: int) -> str | None:
        """The reason not to page an alert, without regard to others; None if there is none."""
        if (reason := self._context.too_old(episode.last_firing_ms)) is not None:
            return reason
        if episode.acknowledged is not None:
            return f"acknowledged by {episode.acknowledged.by}"
        if episode.snoozed_until_ms is not None and at_ms < episode.snoozed_until_ms:
            return f"snoozed by {episode.snoozed.by}" if episode.snoozed else "snoozed"
        return self._context.muted(episode, at_ms)

    def _repeat(
        self, page: Page, at_ms: int, episodes: Mapping[str, Episode]
    ) -> tuple[list[PageNotification], list[Episode]]:
        """Repeat a page, and end its snooze. If all its alerts are quiet or silenced, only the timer starts again."""
        changed: list[Episode] = []
        if page.snoozed_until_ms is not None:
            page.snoozed_until_ms = None
            changed = [
                msgspec.structs.replace(episode, snoozed=None, snoozed_until_ms=None)
                for key in page.members
                if (episode := episodes.get(key)) is not None and episode.snoozed is not None
            ]
        page.sent_ms = at_ms
        active = [e for e in self._firing(page, episodes) if e.state != "recovering"]
        if not active or self._context.too_old(at_ms) or all(self._context.muted(e, at_ms) for e in active):
            return [], changed
        page.repeats += 1
        return [PageNotification("firing", page, repeat=True)], changed

    def _page_due_ms(self, page: Page) -> int | None:
        if page.snoozed_until_ms is not None:
            return page.snoozed_until_ms
        return None if page.acknowledged else page.sent_ms + self._repeat_ms

    def _firing(self, page: Page, episodes: Mapping[str, Episode]) -> list[Episode]:
        return [e for key in page.members if (e := episodes.get(key)) is not None and e.firing]

    def _group(self, episode: Episode) -> str:
        return msgspec.json.encode([self._context.group_of(episode), sorted(self._context.receivers(episode))]).decode()


class _Muting:
    """Finds the alerts that mute others in one run of the timers.

    An alert mutes another one only if its page reaches all receivers of the other. `coming` are the alerts that are
    paged in this run.
    """

    def __init__(self, paging: Paging, at_ms: int, episodes: Mapping[str, Episode]) -> None:
        self.coming: set[str] = set()
        self._paging = paging
        self._at_ms = at_ms
        self._index = InhibitionIndex(episodes.values())
        self._context = paging._context  # noqa: SLF001 - a part of it
        # By dedup key; asking for a silence for each pair of alerts would be slow.
        self._reached: dict[str, frozenset[str]] = {}
        self._waiting: dict[str, bool] = {}

    def reason(self, child: Episode) -> str | None:
        needed = _people(self._context.receivers(child))
        parent = self._parent_of(child, lambda parent: needed <= self._reached_by(parent))
        return None if parent is None else f"muted by the alert {parent.dedup_key} of rule {parent.rule}"

    def parent_to_wait_for(self, child: Episode) -> Episode | None:
        """The alert that will mute `child` when its own page, which is still due, is sent; None if there is none."""
        needed = _people(self._context.receivers(child))
        return self._parent_of(
            child, lambda parent: self._is_due(parent) and needed <= set(self._context.receivers(parent))
        )

    def _parent_of(self, child: Episode, mutes: Callable[[Episode], bool]) -> Episode | None:
        return self._index.parent_of(child, all_mutes=self._context.all_mutes(), mutes=mutes)

    def _reached_by(self, parent: Episode) -> frozenset[str]:
        """The receivers that the page of an alert reaches; none while it is snoozed or silenced."""
        key = parent.dedup_key
        if key in self.coming:
            return frozenset(self._context.receivers(parent))
        if key not in self._reached:
            page = self._paging.state.pages.get(parent.page or "")
            snoozed = page is not None and page.snoozed_until_ms is not None and not page.acknowledged
            heard = page is not None and not snoozed and not self._context.muted(parent, self._at_ms)
            lost = {one.receiver for one in parent.refusals if not one.retried} - set(parent.taken_by or ())
            self._reached[key] = frozenset(page.receivers) - lost if page is not None and heard else frozenset()
        return self._reached[key]

    def _is_due(self, parent: Episode) -> bool:
        key = parent.dedup_key
        if key not in self._waiting:
            paging = self._paging
            self._waiting[key] = (
                parent.page is None
                and paging._group(parent) in paging.state.waiting  # noqa: SLF001
                and paging._own_reason(parent, self._at_ms) is None  # noqa: SLF001
            )
        return self._waiting[key]


def _people(receivers: Iterable[str]) -> frozenset[str]:
    """Receivers without the log, which reaches nobody; the log where there is nothing else."""
    found = frozenset(receivers)
    return found - {LOG} or found
