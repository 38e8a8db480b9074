"""Episodes of one partition: verdicts become episodes, and episodes pages. No I/O."""

from collections.abc import Mapping

import msgspec

from triage.alerting.engine.rule_evaluators import RuleEvaluators
from triage.alerting.engine.state import Core
from triage.alerting.engine.windows import WindowSum
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.lifecycle.alert_document import duration
from triage.alerting.lifecycle.episode import FLAP_WINDOWS, Change, Episode, Policy, step
from triage.alerting.lifecycle.grouping import PageNotification, Paging, Surroundings
from triage.alerting.lifecycle.silences import Silences, shown
from triage.alerting.rules.model import AlertRules
from triage.clock import Clock, rfc3339
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.schemas.action import Acknowledge, Snooze
from triage.schemas.alert import Acknowledgement
from triage.schemas.counts import group_of

log = get_logger("triage.alerter")

# More open alerts than people can look at, and about what one entry of the state can hold.
MOST_OPEN = 1_000
# An episode that Elasticsearch has not taken for so long after its resolve is forgotten.
_FORGET_MS = 7 * 86_400_000
_GONE = Policy(1, "info", gone=True)


class Episodes:
    """Episodes by dedup key, the last one of each rule and key, and their pages. `dirty`: they are to be stored."""

    def __init__(
        self,
        rules: AlertRules,
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        judges: RuleEvaluators,
        *,
        receivers: list[str],
        silences: Silences,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._judges = judges
        self._receivers = receivers
        self._silences = silences
        self._lateness_ms = settings.allowed_lateness_s * 1000
        around = Surroundings(
            lambda episode: group_of(episode.dimensions, settings.group_by),
            self._receivers_of,
            self._silenced,
            self._too_old,
            lambda: self._rules.all_mutes,
        )
        self.paging = Paging(settings, around)
        self.dirty = False
        self._by_key: dict[str, Episode] = {}
        # Kept as episodes come and go: counting them for every key that fires would be quadratic.
        self._open: dict[str, None] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._changed: dict[str, None] = {}
        self._forgotten: list[str] = []
        self._now_ms = 0

    def restore(self, core: Core) -> None:
        self._by_key = {episode.dedup_key: episode for episode in core.episodes}
        self._open = {episode.dedup_key: None for episode in core.episodes if episode.open}
        for episode in sorted(core.episodes, key=lambda episode: episode.last_step_ms):
            self._current[episode.rule, episode.key] = episode.dedup_key
        self.paging.state = core.paging
        self._now_ms = core.progress.closed_ms or 0

    def reload(self, rules: AlertRules) -> None:
        self._rules = rules

    def all(self) -> list[Episode]:
        return list(self._by_key.values())

    def get(self, dedup_key: str) -> Episode | None:
        return self._by_key.get(dedup_key)

    @property
    def open(self) -> int:
        return len(self._open)

    def close(self, start_ms: int, sums: Mapping[str, WindowSum]) -> list[PageNotification]:
        """Judge a step and go on with every episode; returns what receivers are to be told."""
        firing = self._judges.close(start_ms, sums)
        self._now_ms = start_ms + self._settings.window_s * 1000
        going_on = [self._by_key[dedup_key] for dedup_key in self._open]
        for rule, key in sorted({*firing, *((episode.rule, episode.key) for episode in going_on)}):
            self._step(rule, key, start_ms)
        self._report()
        return self._resolved()

    def run(self, at_ms: int) -> list[PageNotification]:
        """What the timers have to say at a moment when all steps that end by then are closed."""
        self._now_ms = max(self._now_ms, at_ms)
        tellings, changed = self.paging.run(at_ms, self._by_key)
        for episode in changed:
            self._put(episode)
        self.dirty = True
        return tellings

    def act(self, action: Acknowledge | Snooze) -> list[PageNotification] | None:
        """What receivers are to be told of it; None if it concerns nothing here, or was done before."""
        episode = self._by_key.get(action.dedup_key)
        if episode is None or not episode.open or action.at_ms <= episode.acted_ms:
            return None
        until_ms = action.until_ms - self._lateness_ms if isinstance(action, Snooze) else None
        page = self.paging.state.pages.get(episode.page or "")
        who = Acknowledgement(action.actor, rfc3339(action.at_ms), action.comment)
        for key in page.members if page else [episode.dedup_key]:
            if (member := self._by_key.get(key)) is not None and member.open:
                changes = {"acknowledged": None, "snoozed": who} if until_ms else {"acknowledged": who, "snoozed": None}
                self._put(msgspec.structs.replace(member, **changes, snoozed_until_ms=until_ms, acted_ms=action.at_ms))
        event = "alert_acknowledged" if until_ms is None else "alert_snoozed"
        log.info(event, dedup_key=action.dedup_key, by=action.actor)
        if page is None:
            return []
        return self.paging.acknowledge(page) if until_ms is None else self.paging.snooze(page, until_ms)

    def archived(self, dedup_key: str, version: int) -> None:
        episode = self._by_key.get(dedup_key)
        if episode is not None and not episode.open and episode.version == version:
            self._by_key[dedup_key] = msgspec.structs.replace(episode, archived=True)
            self.dirty = True

    def forget(self, owing: set[str]) -> None:
        """Drop what nothing needs any more; `owing` are the keys of pages that are not delivered yet."""
        step_ms = self._settings.window_s * 1000
        told = {key for page in self.paging.state.pages.values() for key in page.members} | owing
        for dedup_key, episode in list(self._by_key.items()):
            # Flapping looks back on an episode for some windows, however soon it was archived.
            if episode.open or dedup_key in told or episode.end_ms + FLAP_WINDOWS * step_ms > self._now_ms:
                continue
            if episode.archived or episode.end_ms < self._now_ms - _FORGET_MS:
                del self._by_key[dedup_key]
                if self._current.get((episode.rule, episode.key)) == dedup_key:
                    del self._current[episode.rule, episode.key]
                self._forgotten.append(dedup_key)
                self.dirty = True

    def take_changed(self) -> list[Episode]:
        """Episodes whose alerts are to be stored anew."""
        changed, self._changed = self._changed, {}
        return [e for key in changed if (e := self._by_key.get(key)) is not None and not e.archived]

    def take_forgotten(self) -> list[str]:
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _step(self, name: str, key: str, start_ms: int) -> None:
        current = self._current.get((name, key))
        episode = self._by_key[current] if current else None
        rule = self._rules.get(name)
        if rule is None and episode is None:
            return
        if (episode is None or not episode.open) and self.open >= MOST_OPEN:
            self._metrics.alerts_suppressed.inc()
            return
        if rule is None:
            assert episode is not None
            step_ms = self._settings.window_s * 1000
            window = RuleWindow(name, key, episode.dimensions, start_ms, start_ms + step_ms, episode.window_ms, 0, 0)
            verdict, policy = Verdict(firing=False), _GONE
        else:
            dimensions = episode.dimensions if episode else self._judges.dimensions(name, key)
            window, verdict = self._judges.window(name, key, dimensions), self._judges.verdict(name, key)
            runbook = self._rules.runbook(rule, dimensions)
            policy = Policy(rule.resolve_after, rule.severity, runbook, rule.pending)
        transition = step(episode, window, verdict, policy)
        after = transition.episode
        if transition.change is None or after is None:
            return
        self._current[name, key] = after.dedup_key
        if after.firing and after.page is None and after.last_firing_ms == start_ms:
            reason = self._too_old(start_ms)
            if reason is None:
                self.paging.wait_for(after, window.end_ms)
            elif after.not_paged_because is None:
                after.not_paged_because = reason
        if transition.change is Change.RESOLVED and after.page is None and after.not_paged_because is None:
            after.not_paged_because = "it was over before its page was due"
        if transition.change is Change.DROPPED:
            after.archived = True
        self._put(after)
        self._announce(after, transition.change)

    def _put(self, episode: Episode) -> None:
        self._by_key[episode.dedup_key] = episode
        if episode.open:
            self._open[episode.dedup_key] = None
        else:
            self._open.pop(episode.dedup_key, None)
        if episode.state != "pending":
            self._changed[episode.dedup_key] = None
        self.dirty = True

    def _resolved(self) -> list[PageNotification]:
        tellings = self.paging.resolve(self._by_key)
        self.dirty = self.dirty or bool(tellings)
        return tellings

    def _announce(self, episode: Episode, change: Change) -> None:
        if change is Change.UPDATED:
            return
        self._metrics.alert_transitions.labels(episode.rule, change.value).inc()
        log.info(
            "episode_changed",
            change=change.value,
            rule=episode.rule,
            key=episode.key,
            dedup_key=episode.dedup_key,
            negative=episode.negative,
            total=episode.total,
            expected=episode.expected,
            page=episode.page,
            not_paged_because=episode.not_paged_because,
        )

    def _receivers_of(self, episode: Episode) -> list[str]:
        rule = self._rules.get(episode.rule)
        wanted = self._receivers if rule is None or rule.notify is None else rule.notify
        return [name for name in self._receivers if name in wanted]

    def _silenced(self, episode: Episode, at_ms: int) -> str | None:
        # People think of a silence's end in the time of their clocks, which closed steps are behind of.
        silence = self._silences.on(episode.dimensions, episode.rule, episode.severity, at_ms + self._lateness_ms)
        if silence is None:
            return None
        return f"silenced by {silence.actor} until {rfc3339(silence.until_ms)} ({shown(silence.matchers)})"

    def _too_old(self, start_ms: int) -> str | None:
        age_ms = self._clock.now_ms() - start_ms - self._settings.window_s * 1000
        most_s = self._settings.max_page_age_s
        if age_ms <= most_s * 1000:
            return None
        return (
            f"its window closed {duration(age_ms)} ago, more than {duration(most_s * 1000)} (alerting.max_page_age_s)"
        )

    def _report(self) -> None:
        for name, series in self._judges.series.items():
            for kind, count in (("watched", len(series)), ("learning", series.learning), ("others", series.unwatched)):
                self._metrics.alert_keys.labels(name, kind).set(count)
