"""Who is told and when: pages that group alerts, their repeats and resolves, as Alertmanager does. Pure.

Times are event time, as far as everything is closed: the same counts make the same pages, whenever they come.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.inhibition import InhibitionIndex, rank
from triage.config import AlertingSettings
from triage.schemas.alert import Event


class Page(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Alerts of a group that receivers were told of together; `key` is the dedup key of the first of `members`."""

    key: str
    group: str
    receivers: list[str]
    members: list[str]
    sent_ms: int
    repeats: int = 0
    acknowledged: bool = False
    snoozed_until_ms: int | None = None


class PagingState(msgspec.Struct):
    """What must survive a restart. `waiting` has when a group's next page is due, `sent` when its last one was."""

    pages: dict[str, Page] = {}
    waiting: dict[str, int] = {}
    sent: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class PageNotification:
    """Something to tell the page's receivers."""

    event: Event
    page: Page
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What paging asks of its engine.

    `receivers(episode)` are those of its rule; `muted(episode, at_ms)` says which silence holds, `too_old(end_ms)` why
    nobody is to be told of that time any more; both None where there is no such reason.
    """

    group_of: Callable[[Episode], str]
    receivers: Callable[[Episode], list[str]]
    muted: Callable[[Episode, int], str | None]
    too_old: Callable[[int], str | None]
    all_mutes: Callable[[], bool]


class Paging:
    """The pages of one partition."""

    def __init__(self, settings: AlertingSettings, around: Surroundings) -> None:
        self.state = PagingState()
        self._around = around
        self._wait_ms = settings.group_wait_s * 1000
        self._interval_ms = settings.group_interval_s * 1000
        self._repeat_ms = settings.repeat_interval_s * 1000

    def due_ms(self) -> int | None:
        """When `run` has something to do, if nothing happens before."""
        pages = (self._page_due_ms(page) for page in self.state.pages.values())
        return min((due for due in (*self.state.waiting.values(), *pages) if due is not None), default=None)

    def wait_for(self, episode: Episode, at_ms: int) -> None:
        """An episode that nobody was told of fires: its group is due after the wait, unless it is already."""
        group = self._group(episode)
        if group in self.state.waiting or not self._around.receivers(episode):
            return
        due_ms = at_ms + self._wait_ms
        if (sent_ms := self.state.sent.get(group)) is not None:
            due_ms = max(due_ms, sent_ms + self._interval_ms)
        self.state.waiting[group] = due_ms

    def run(self, at_ms: int, episodes: Mapping[str, Episode]) -> tuple[list[PageNotification], list[Episode]]:
        """What is due by `at_ms`, and the episodes whose paging changed, as changed copies."""
        tellings, changed = [], []
        if due := sorted(group for group, due_ms in self.state.waiting.items() if due_ms <= at_ms):
            unpaged, inhibition = self._unpaged(episodes.values()), InhibitionIndex(episodes.values())
            for group in due:
                del self.state.waiting[group]
                page, touched = self._new_page(group, at_ms, unpaged.get(group, []), inhibition)
                changed += touched
                if page is not None:
                    tellings.append(PageNotification("firing", page))
        for page in list(self.state.pages.values()):
            due_ms = self._page_due_ms(page)
            if due_ms is not None and due_ms <= at_ms:
                again, touched = self._again(page, at_ms, episodes)
                tellings += again
                changed += touched
        return tellings, changed

    def resolve(self, episodes: Mapping[str, Episode]) -> list[PageNotification]:
        """The pages of which every member is over; they are forgotten."""
        over = [page for page in self.state.pages.values() if not self._firing(page, episodes)]
        for page in over:
            del self.state.pages[page.key]
        if over:
            groups = {page.group for page in self.state.pages.values()}
            for group in {page.group for page in over} - groups:
                self.state.sent.pop(group, None)
        return [PageNotification("resolved", page) for page in over]

    def acknowledge(self, page: Page) -> list[PageNotification]:
        if page.acknowledged:
            return []
        page.acknowledged, page.snoozed_until_ms = True, None
        return [PageNotification("acknowledged", page)]

    def snooze(self, page: Page, until_ms: int) -> list[PageNotification]:
        told = [] if page.acknowledged or page.snoozed_until_ms else [PageNotification("acknowledged", page)]
        page.acknowledged, page.snoozed_until_ms = False, until_ms
        return told

    def _unpaged(self, episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
        """By group, the firing episodes that are on no page."""
        unpaged: dict[str, list[Episode]] = {}
        for episode in episodes:
            if episode.firing and episode.page is None:
                unpaged.setdefault(self._group(episode), []).append(episode)
        return unpaged

    def _new_page(
        self, group: str, at_ms: int, unpaged: Iterable[Episode], inhibition: InhibitionIndex
    ) -> tuple[Page | None, list[Episode]]:
        told, changed = [], []
        for episode in unpaged:
            reason = self._why_not(episode, at_ms, inhibition)
            if reason is None:
                told.append(episode)
            elif reason != episode.not_paged_because:
                changed.append(msgspec.structs.replace(episode, not_paged_because=reason))
        if not told:
            return None, changed
        told.sort(key=lambda e: (rank(e), len(e.dimensions), -e.peak_negative, e.dedup_key))
        members = [episode.dedup_key for episode in told]
        page = Page(
            key=members[0], group=group, receivers=self._around.receivers(told[0]), members=members, sent_ms=at_ms
        )
        self.state.pages[page.key] = page
        self.state.sent[group] = at_ms
        changed += [msgspec.structs.replace(e, page=page.key, not_paged_because=None) for e in told]
        return page, changed

    def _why_not(self, episode: Episode, at_ms: int, inhibition: InhibitionIndex) -> str | None:
        if (reason := self._around.too_old(episode.last_firing_ms)) is not None:
            return reason
        if episode.acknowledged is not None:
            return f"acknowledged by {episode.acknowledged.by}"
        if episode.snoozed_until_ms is not None and at_ms < episode.snoozed_until_ms:
            return f"snoozed by {episode.snoozed.by}" if episode.snoozed else "snoozed"
        if (reason := self._around.muted(episode, at_ms)) is not None:
            return reason
        parent = inhibition.parent_of(episode, all_mutes=self._around.all_mutes())
        return None if parent is None else f"muted by the alert {parent.dedup_key} of rule {parent.rule}"

    def _again(
        self, page: Page, at_ms: int, episodes: Mapping[str, Episode]
    ) -> tuple[list[PageNotification], list[Episode]]:
        """A repeat, or the end of a snooze; what needs nobody now is looked at again an interval later."""
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
        if not active or self._around.too_old(at_ms) or all(self._around.muted(e, at_ms) for e in active):
            return [], changed
        page.repeats += 1
        return [PageNotification("firing", page, repeat=True)], changed

    def _page_due_ms(self, page: Page) -> int | None:
        if page.acknowledged:
            return None
        return page.sent_ms + self._repeat_ms if page.snoozed_until_ms is None else page.snoozed_until_ms

    def _firing(self, page: Page, episodes: Mapping[str, Episode]) -> list[Episode]:
        return [e for key in page.members if (e := episodes.get(key)) is not None and e.firing]

    def _group(self, episode: Episode) -> str:
        return msgspec.json.encode([self._around.group_of(episode), sorted(self._around.receivers(episode))]).decode()
