"""The episodes of one partition: results of rules start and end them, and they are grouped into pages. No I/O."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from triage.alerting.engine.key_counts import KeyCounts
from triage.alerting.engine.rule_evaluators import RuleEvaluators
from triage.alerting.engine.state import Core
from triage.alerting.engine.windows import WindowSum
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.lifecycle.alert_document import duration
from triage.alerting.lifecycle.deeds import applied, is_applied
from triage.alerting.lifecycle.episode import FLAP_WINDOWS, LOG, Change, Episode, Policy, held_until_ms, step
from triage.alerting.lifecycle.grouping import Page, PageNotification, Paging, PagingContext
from triage.alerting.lifecycle.inhibition import severity_rank
from triage.alerting.lifecycle.silences import Silences, format_matchers
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import DAY_MS, Clock, rfc3339
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.schemas.action import Acknowledge, Comment, EpisodeAction, Resolve, Silence, Snooze, Unacknowledge
from triage.schemas.alert import Refusal
from triage.schemas.counts import group_of

log = get_logger("triage.alerter")

# More open alerts than people can look at, and about as many as one entry of the state can hold.
MAX_OPEN_EPISODES = 1_000
# A resolved episode that Elasticsearch has not stored by then is forgotten.
_FORGET_AFTER_MS = 7 * DAY_MS
_NEVER = 1 << 30
_RULE_REMOVED = Policy(1, "info", rule_removed=True)


class Episodes:
    """The episodes of one partition by dedup key, open or recently resolved, and the pages that notify of them.

    An episode is one period in which a rule fires for a key. `dirty` is true after any change; the engine stores the
    episodes and resets it.
    """

    def __init__(
        self,
        rules: AlertRules,
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        evaluators: RuleEvaluators,
        *,
        receivers: list[str],
        silences: Silences,
        channels: Mapping[str, str] | None = None,
    ) -> None:
        self._channels = channels or {}
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._evaluators = evaluators
        self._receivers = receivers
        self._silences = silences
        self._lateness_ms = settings.allowed_lateness_s * 1000
        context = PagingContext(
            lambda episode: group_of(episode.dimensions, settings.group_by),
            self._receivers_of,
            self._silenced,
            self._too_old,
            lambda: self._rules.all_mutes,
        )
        self.paging = Paging(settings, context)
        self.dirty = False
        self._by_key: dict[str, Episode] = {}
        # Dedup keys. Kept as episodes open and resolve: counting them for every key that fires would be quadratic.
        self._open: dict[str, None] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._changed: dict[str, None] = {}
        self._forgotten: list[str] = []
        self._stepped: dict[str, None] = {}
        self._now_ms = 0
        # By how much the alerter is behind while pages wait until it has caught up; None if they don't.
        self.behind_ms: int | None = None
        # Open episodes that others may displace, the first one last; None until a step needs them.
        self._quiet: list[Episode] | None = None
        self._key_counts = KeyCounts(metrics)
        self._missing: Sequence[str] = ()
        # The last step (start in ms) at which the counts of a raw partition were not known.
        self._unknown_ms: dict[str, int] = {}

    def restore(self, core: Core) -> None:
        """Continue with the episodes and pages in the stored state `core`."""
        self._by_key = {episode.dedup_key: episode for episode in core.episodes}
        self._open = {episode.dedup_key: None for episode in core.episodes if episode.open}
        for episode in sorted(core.episodes, key=lambda episode: episode.last_step_ms):
            self._current[episode.rule, episode.key] = episode.dedup_key
        self.paging.state = core.paging
        self._now_ms = core.progress.closed_ms or 0

    def reload(self, rules: AlertRules) -> None:
        self._rules = rules
        self._key_counts.keep_only({rule.name for rule in rules.rules})

    def discard(self) -> None:
        """Subtract this partition's keys from the metrics, because another alerter counts them now."""
        self._key_counts.discard()

    def all(self) -> list[Episode]:
        return list(self._by_key.values())

    def get(self, dedup_key: str) -> Episode | None:
        return self._by_key.get(dedup_key)

    @property
    def open(self) -> int:
        """Number of episodes that are not resolved."""
        return len(self._open)

    def close_step(
        self,
        start_ms: int,
        sums: Mapping[str, WindowSum],
        missing: Sequence[str] = (),
        left_out: Sequence[str] = (),
    ) -> list[PageNotification]:
        """Evaluate a closed step and update every open episode. Returns the notifications of pages that resolve.

        `start_ms` is the start of the step, `sums` are its counts by key. Counts of the raw partitions in `missing` may
        still arrive, and those of the partitions in `left_out` are unknown: their absence does not count as silence.
        """
        self._missing = missing
        self._unknown_ms |= dict.fromkeys((*missing, *left_out), start_ms)
        firing = self._evaluators.close(start_ms, sums)
        self._now_ms = start_ms + self._settings.window_s * 1000
        still_open = [self._by_key[dedup_key] for dedup_key in self._open]
        keys = sorted({*firing, *((episode.rule, episode.key) for episode in still_open)})
        self._quiet = None
        if len(still_open) + len(firing) > MAX_OPEN_EPISODES:
            # Those that are over make room, and what pages goes first.
            keys.sort(key=lambda found: self._urgency(*found))
        for rule, key in keys:
            self._step(rule, key, start_ms)
        self._key_counts.report(self._evaluators.series)
        return self._resolve_pages()

    def run_timers(self, at_ms: int, *, late: bool = False) -> list[PageNotification]:
        """Send and repeat the pages due at `at_ms` (event time); all steps that end by then must be closed.

        Returns the notifications. `late`: the timers were delayed until the alerter had caught up.
        """
        self._now_ms = max(self._now_ms, at_ms)
        notifications, changed = self.paging.run(at_ms, self._by_key, late=late)
        for episode in changed:
            self._put(episode)
        self.dirty = True
        return notifications

    def act(self, action: EpisodeAction) -> list[PageNotification] | None:
        """Apply a user's action to an alert and all open alerts of its page; returns the notifications to send.

        Returns None if the alert is not in this partition, or if this action or a later one was already applied. Of
        actions on a resolved alert, only a comment is applied: it is stored, and nobody is notified.
        """
        episode = self._by_key.get(action.dedup_key)
        if episode is None or is_applied(episode, action):
            return None
        if not episode.open:
            return self._comment_on_ended(episode, action)
        page = self.paging.state.pages.get(episode.page or "")
        for key in page.members if page else [episode.dedup_key]:
            if (member := self._by_key.get(key)) is not None and member.open:
                self._apply(action, member)
        log.info("alert_action", action=type(action).__name__.lower(), dedup_key=action.dedup_key, by=action.actor)
        if isinstance(action, Resolve):
            return self._resolve_pages()
        return [] if page is None else self._notifications_of(action, page)

    def _comment_on_ended(self, episode: Episode, action: EpisodeAction) -> list[PageNotification] | None:
        if not isinstance(action, Comment):
            return None
        after = applied(episode, action, self._lateness_ms)
        self._put(msgspec.structs.replace(after, archived=False))
        return []

    def _apply(self, action: EpisodeAction, episode: Episode) -> None:
        after = applied(episode, action, self._lateness_ms)
        self._put(after)
        if isinstance(action, Resolve):
            self._report_change(after, Change.DROPPED if episode.state == "pending" else Change.RESOLVED)
        elif isinstance(action, Unacknowledge) and after.firing and after.page is None:
            self.paging.wait_for(after, self._now_ms)

    def _notifications_of(self, action: EpisodeAction, page: Page) -> list[PageNotification]:
        match action:
            case Acknowledge():
                return self.paging.acknowledge(page)
            case Unacknowledge():
                return self.paging.unacknowledge(page)
            case Snooze():
                return self.paging.snooze(page, action.until_ms - self._lateness_ms)
            case _:
                return [PageNotification("note", page)]

    def page_taken(self, dedup_keys: Iterable[str], receiver: str) -> None:
        """Record that a receiver accepted the page of these alerts."""
        for dedup_key in dedup_keys:
            episode = self._by_key.get(dedup_key)
            if episode is None or episode.taken_by is None or receiver in episode.taken_by:
                continue
            told_at = episode.told_at or (None if receiver == LOG else rfc3339(self._clock.now_ms()))
            changes = {
                "refusals": [refusal for refusal in episode.refusals if refusal.receiver != receiver],
                "taken_by": [*episode.taken_by, receiver],
                "told_at": told_at,
            }
            self._put(msgspec.structs.replace(episode, **changes, archived=False))

    def page_refused(self, dedup_keys: Iterable[str], receiver: str, error: str, *, retried: bool) -> None:
        """Record that a receiver did not accept the page of these alerts. A repeated error keeps the time of the first.

        `retried`: the page will be sent to this receiver again.
        """
        refusal = Refusal(receiver, error, rfc3339(self._clock.now_ms()), retried)
        for dedup_key in dedup_keys:
            episode = self._by_key.get(dedup_key)
            if episode is None:
                continue
            known = {one.receiver: one for one in episode.refusals}
            before = known.get(receiver)
            if before is not None and (before.error, before.retried) == (error, retried):
                continue
            refusals = list((known | {receiver: refusal}).values())
            self._put(msgspec.structs.replace(episode, refusals=refusals, archived=False))

    def archived(self, dedup_key: str, version: int) -> None:
        """Record that the index and the topic have stored this version of a resolved episode's alert."""
        episode = self._by_key.get(dedup_key)
        if episode is not None and not episode.open and episode.version == version:
            self._by_key[dedup_key] = msgspec.structs.replace(episode, archived=True)
            self.dirty = True

    def archive_again(self, dedup_key: str) -> bool:
        """Schedule an alert to be stored once more in the index and the topic.

        False if this partition no longer holds it.
        """
        episode = self._by_key.get(dedup_key)
        if episode is None or episode.state == "pending":
            return False
        self._put(msgspec.structs.replace(episode, archived=False))
        return True

    def forget(self, pending: set[str]) -> None:
        """Remove resolved episodes that are no longer needed.

        Flap detection and open pages still need some; episodes that the archives have not stored are kept for seven
        days. `pending` are the keys of pages with an undelivered notification.
        """
        step_ms = self._settings.window_s * 1000
        in_use = {key for page in self.paging.state.pages.values() for key in page.members} | pending
        for dedup_key, episode in list(self._by_key.items()):
            # Flap detection needs an episode for some windows after its end, even if it is archived.
            if episode.open or dedup_key in in_use or episode.end_ms + FLAP_WINDOWS * step_ms > self._now_ms:
                continue
            if self._is_held(episode, step_ms):
                continue
            if episode.archived or episode.end_ms < self._now_ms - _FORGET_AFTER_MS:
                del self._by_key[dedup_key]
                if self._current.get((episode.rule, episode.key)) == dedup_key:
                    del self._current[episode.rule, episode.key]
                self._forgotten.append(dedup_key)
                self.dirty = True

    def _is_held(self, episode: Episode, step_ms: int) -> bool:
        rule = self._rules.get(episode.rule)
        until_ms = held_until_ms(episode, step_ms, rule.resolve_after if rule else 0)
        return until_ms is not None and until_ms >= self._now_ms

    def take_stepped(self) -> list[Episode]:
        """Return the episodes that a step has changed since the last call, each once, including those that resolved."""
        stepped, self._stepped = self._stepped, {}
        return [episode for key in stepped if (episode := self._by_key.get(key)) is not None]

    def take_changed(self) -> list[Episode]:
        """Return the episodes that have changed since the last call and must be archived again."""
        changed, self._changed = self._changed, {}
        return [e for key in changed if (e := self._by_key.get(key)) is not None and not e.archived]

    def take_forgotten(self) -> list[str]:
        """Return the dedup keys of the episodes that were removed since the last call."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def _step(self, name: str, key: str, start_ms: int) -> None:
        current = self._current.get((name, key))
        episode = self._by_key[current] if current else None
        rule = self._rules.get(name)
        if rule is None and episode is None:
            return
        opens = episode is None or not episode.open
        if opens and self.open >= MAX_OPEN_EPISODES and not self._make_room(name, key):
            self._metrics.alerts_suppressed.inc()
            return
        without: list[str] = []
        if rule is None:
            assert episode is not None
            step_ms = self._settings.window_s * 1000
            window = RuleWindow(name, key, episode.dimensions, start_ms, start_ms + step_ms, episode.window_ms, 0, 0)
            verdict, policy = Verdict(firing=False), _RULE_REMOVED
        else:
            dimensions = episode.dimensions if episode else self._evaluators.dimensions(name, key)
            window = self._evaluators.window(name, key, dimensions)
            without = self._missing_of(rule, dimensions, self._missing)
            verdict = self._verdict(rule, key, dimensions, still=not opens)
            runbook = self._rules.runbook(rule, dimensions)
            # What may still come can be negative: that it is over is not known yet.
            policy = Policy(_NEVER if without else rule.quiet_steps, rule.severity, runbook, rule.pending)
        transition = step(episode, window, verdict, policy)
        after = transition.episode
        if transition.change is None or after is None:
            return
        self._current[name, key] = after.dedup_key
        if transition.change is Change.HELD:
            self._by_key[after.dedup_key] = after
            self.dirty = True
        else:
            after.without = without
            self._keep(after, transition.change, window)

    def _keep(self, after: Episode, change: Change, window: RuleWindow) -> None:
        """Store an episode after a step, and start the timer of its page if it needs one."""
        start_ms = window.step_start_ms
        if after.firing and after.page is None and after.last_firing_ms == start_ms:
            reason = self._too_old(start_ms)
            if reason is None:
                self.paging.wait_for(after, window.end_ms)
            elif after.not_paged_because is None:
                after.not_paged_because = reason
        if change is Change.RESOLVED and after.page is None and after.not_paged_because is None:
            after.not_paged_because = self._over_before_its_page()
        if change is Change.DROPPED:
            after.archived = True
        self._put(after)
        if change is not Change.DROPPED:
            self._stepped[after.dedup_key] = None
        self._report_change(after, change)

    def _verdict(self, rule: Rule, key: str, dimensions: Mapping[str, str], *, still: bool) -> Verdict:
        """The verdict on a key at the closed step. `still`: its alert is open. What is not known is not a silence."""
        if rule.silence is None:
            return self._evaluators.verdict(rule.name, key)
        unknown_ms = [self._unknown_ms[name] for name in self._missing_of(rule, dimensions, self._unknown_ms)]
        return self._evaluators.verdict(rule.name, key, still=still, after_ms=max(unknown_ms, default=None))

    def _missing_of(self, rule: Rule, dimensions: Mapping[str, str], partitions: Iterable[str]) -> list[str]:
        """Those of the raw partitions whose records can belong to a series of the rule with these dimension values."""
        found = []
        for name in partitions:
            channel = self._channels.get(name.rpartition("/")[0])
            of_other = channel is not None and (
                dimensions.get("channel", channel) != channel
                or ("channel" in rule.where and not rule.where["channel"].match(channel))
            )
            if not of_other:
                found.append(name)
        return found

    def _over_before_its_page(self) -> str:
        if self.behind_ms is None:
            return "it was over before its page was due"
        return f"it was over before the alerter, {duration(self.behind_ms)} behind, had caught up"

    def _urgency(self, name: str, key: str) -> tuple[bool, bool, int, int]:
        """Sort key where not all keys can be open: open episodes first, then what pages, severest and widest first."""
        current = self._by_key.get(self._current.get((name, key), ""))
        rule = self._rules.get(name)
        if rule is None or (current is not None and current.open):
            return False, False, 0, 0
        return True, not self._would_page(name, key), severity_rank(rule.severity), len(rule.dimension)

    def _would_page(self, name: str, key: str) -> bool:
        rule = self._rules.get(name)
        if rule is None or not _people(self._receivers_of_rule(name)):
            return False
        return self._silence(self._evaluators.dimensions(name, key), name, rule.severity, self._now_ms) is None

    def _make_room(self, name: str, key: str) -> bool:
        """End an open episode that is not paged, so that one that would be paged can open. False if it cannot."""
        rule = self._rules.get(name)
        if rule is None or not self._would_page(name, key):
            return False
        if self._quiet is None:
            unpaged = [e for e in map(self._by_key.__getitem__, self._open) if e.page is None and self._displaceable(e)]
            unpaged.sort(key=lambda e: (self._is_quiet(e), severity_rank(e.severity), len(e.dimensions), e.started_ms))
            self._quiet = unpaged
        while self._quiet:
            episode = self._quiet[-1]
            ours = severity_rank(rule.severity), len(rule.dimension)
            if not self._is_quiet(episode) and ours >= (severity_rank(episode.severity), len(episode.dimensions)):
                return False
            self._quiet.pop()
            if self._by_key.get(episode.dedup_key) is not None and self._by_key[episode.dedup_key].open:
                self._displace(self._by_key[episode.dedup_key])
                return True
        return False

    def _displaceable(self, episode: Episode) -> bool:
        """True if an open episode without a page will get none for now: it reaches nobody, or is muted."""
        return self._is_quiet(episode) or episode.not_paged_because is not None

    def _is_quiet(self, episode: Episode) -> bool:
        """True if an episode reaches nobody: its rule names no receiver but the log, or it is silenced."""
        return not _people(self._receivers_of(episode)) or self._silenced(episode, self._now_ms) is not None

    def _displace(self, episode: Episode) -> None:
        reason = f"it made room for one that is paged: at most {MAX_OPEN_EPISODES:,} alerts are open at once"
        over = msgspec.structs.replace(
            episode, state="resolved", not_paged_because=reason, archived=episode.state == "pending"
        )
        self._put(over)
        self._metrics.alerts_suppressed.inc()
        self._report_change(over, Change.DROPPED if episode.state == "pending" else Change.RESOLVED)

    def _put(self, episode: Episode) -> None:
        self._by_key[episode.dedup_key] = episode
        if episode.open:
            self._open[episode.dedup_key] = None
        else:
            self._open.pop(episode.dedup_key, None)
        if episode.state != "pending":
            self._changed[episode.dedup_key] = None
        self.dirty = True

    def _resolve_pages(self) -> list[PageNotification]:
        notifications = self.paging.resolve(self._by_key)
        self.dirty = self.dirty or bool(notifications)
        return notifications

    def _report_change(self, episode: Episode, change: Change) -> None:
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
        return self._receivers_of_rule(episode.rule)

    def _receivers_of_rule(self, name: str) -> list[str]:
        rule = self._rules.get(name)
        chosen = self._receivers if rule is None or rule.notify is None else rule.notify
        return [name for name in self._receivers if name in chosen]

    def _silenced(self, episode: Episode, at_ms: int) -> str | None:
        silence = self._silence(episode.dimensions, episode.rule, episode.severity, at_ms)
        if silence is None:
            return None
        return f"silenced by {silence.actor} until {rfc3339(silence.until_ms)} ({format_matchers(silence.matchers)})"

    def _silence(self, dimensions: Mapping[str, str], rule: str, severity: str, at_ms: int) -> Silence | None:
        # The end of a silence is meant in wall-clock time; the time of closed steps is behind that by the lateness.
        return self._silences.active_for(dimensions, rule, severity, at_ms + self._lateness_ms)

    def _too_old(self, start_ms: int) -> str | None:
        age_ms = self._clock.now_ms() - start_ms - self._settings.window_s * 1000
        max_age_ms = self._settings.max_page_age_s * 1000
        if age_ms <= max_age_ms:
            return None
        return f"its window closed {duration(age_ms)} ago, more than {duration(max_age_ms)} (alerting.max_page_age_s)"


def _people(receivers: Iterable[str]) -> set[str]:
    return set(receivers) - {LOG}
