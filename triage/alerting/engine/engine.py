"""The engine of one partition of `window-counts`: counts in; alerts and pages out. No I/O, no tasks, no locks.

*Who calls it.* All calls come from the event loop's thread, through `app.faust_app` and `delivery.outbox`. No method
awaits, so each runs to its end before the next begins. `advance` closes at most 200 steps per call, so that the loop
gets its turn between calls when a backlog is worked off.

*Who owns what.* The engine owns all state of its partition: windows and watermarks (`windows`), series and baselines
(`rule_evaluators`), episodes and pages (`episodes`), pending notifications, and evidence. Only the silences and the
assessments are shared by all engines of the process. When the partition is revoked the engine is thrown away, and its
next owner rebuilds it from the table with `restore`.

*What is persisted, and when.* The engine writes nothing itself. Every change goes to a `ChangelogBuffer`; the caller
takes the changes after each call, writes them to the table in their order, and only then sends and archives. Whatever
was not written before a crash is computed again, with the same dedup keys, from the counts whose offsets were not
committed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triage.alerting.engine import state as stored
from triage.alerting.engine.catch_up import CatchUp
from triage.alerting.engine.changelog import ChangelogBuffer, Changes
from triage.alerting.engine.episode_charts import EpisodeCharts
from triage.alerting.engine.episodes import Episodes
from triage.alerting.engine.pending_notifications import PendingNotifications
from triage.alerting.engine.priming import Primed
from triage.alerting.engine.rule_evaluators import RuleEvaluators
from triage.alerting.engine.state import PendingNotification
from triage.alerting.engine.windows import MergeOutcome, PartitionWindows
from triage.alerting.evaluation.stored_baseline import StoredBaseline
from triage.alerting.lifecycle.alert_document import build_alert
from triage.alerting.lifecycle.assessments import Assessments
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PageNotification
from triage.alerting.lifecycle.silences import Silences
from triage.alerting.rules.model import AlertRules
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.schemas.action import EpisodeAction
from triage.schemas.alert import Alert, Chart, Event, Evidence
from triage.schemas.counts import CountMessage, KeyCount, Watermark, WindowCounts

log = get_logger("triage.alerter")

_MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class DeliveredPage:
    """A page, not resolved yet, that `receivers` have accepted: `alert` is its first alert, `also` are the others."""

    alert: Alert
    also: list[Alert]
    receivers: list[str]


class PartitionEngine:
    """Turns the counts of one partition of `window-counts` into alerts and pages.

    It holds the windows, baselines, episodes and pending notifications of the partition. `receivers` are the names of
    the configured notifiers; those in `acknowledging` also get acknowledgements, those in `noting` also get notes about
    comments and other actions. `expected` are the raw partitions that will report watermarks. `silences` and
    `assessments` are shared by all engines. `partitions` is the number of engines that divide the keys, `channels` maps
    each raw topic to its channel.
    """

    def __init__(
        self,
        rules: AlertRules,
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        receivers: list[str],
        expected: set[Partition],
        acknowledging: frozenset[str] = frozenset(),
        noting: frozenset[str] = frozenset(),
        silences: Silences | None = None,
        assessments: Assessments | None = None,
        partitions: int = 1,
        channels: Mapping[str, str] | None = None,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._step_ms = settings.window_s * 1000
        self._evaluators = RuleEvaluators(rules, settings, partitions)
        self.windows = PartitionWindows(
            step_ms=self._step_ms,
            lateness_ms=settings.allowed_lateness_s * 1000,
            retain_ms=self._evaluators.retain_ms,
            max_hold_s=settings.max_hold_s,
            expected=expected,
            started_s=clock.monotonic(),
            max_keys=settings.max_keys,
        )
        self._episodes = Episodes(
            rules,
            settings,
            clock,
            metrics,
            self._evaluators,
            receivers=receivers,
            silences=silences or Silences(),
            channels=channels,
        )
        self._assessments = assessments or Assessments()
        self._pending = PendingNotifications(acknowledging, noting)
        self._evidence: dict[str, Evidence] = {}
        self._changelog = ChangelogBuffer()
        self._charts = EpisodeCharts(self._changelog.put_chart)
        self._left_out: frozenset[str] = frozenset()
        self._lagging: frozenset[str] = frozenset()
        self._catch_up = CatchUp(settings)

    def restore(self, entries: Mapping[str, Any], primed: Primed | None = None) -> None:
        """Continue from stored state. The next changes contain its undelivered notifications, which are sent again.

        `entries` are the table entries of the partition. Rules without stored baselines start with those in `primed`.
        Raises ConfigError for state that a newer alerter wrote.
        """
        found = stored.read(entries, self._step_ms)
        for rule in primed or {}:
            if all(baseline.primed for baseline in found.baselines.get(rule, {}).values()):
                # Replaces also what an interrupted first start has stored.
                found.baselines.pop(rule, None)
        self._pending.restore(found.notifications.values())
        self._evidence = found.evidence
        self._charts.restore(found.charts)
        progress = found.core.progress
        if gone := self.windows.restore(progress, found.sums, self._clock.monotonic()):
            log.info("partitions_forgotten", partitions=sorted(gone), because="no channel in worker.channels has them")
        if progress.closed_ms is not None:
            self._evaluators.restore(progress.closed_ms, found.baselines, found.sums)
        self._evaluators.prime((found.baselines if progress.closed_ms is None else {}) | dict(primed or {}))
        self._episodes.restore(found.core)
        self._changelog.restore(found, (e for e in self._episodes.all() if not e.archived and e.state != "pending"))

    def reload(self, rules: AlertRules) -> None:
        """Replace the alert rules. Episodes of removed rules resolve with the next step."""
        self._rules = rules
        self._evaluators.reload(rules, self.windows.progress.closed_ms, self.windows.sums)
        self.windows.retain_ms = max(self._evaluators.retain_ms, self._step_ms)
        self._episodes.reload(rules)

    def discard(self) -> None:
        """Subtract this partition's episodes and keys from the process's metrics, because the partition was revoked."""
        self._episodes.discard()

    @property
    def open_episodes(self) -> int:
        return self._episodes.open

    def apply(self, message: CountMessage) -> None:
        """Merge one message of `window-counts` (a watermark or counts). A repeated message changes nothing."""
        if isinstance(message, Watermark):
            self.windows.observe(message, self._clock.monotonic())
            return
        outcomes: dict[MergeOutcome, int] = {}
        routes = self._evaluators.routes
        for count in message.counts:
            if routes(count.key, count.dimensions):
                outcome = self._merge(count, message)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
        for outcome, number in outcomes.items():
            self._metrics.window_counts_merged.labels(outcome).inc(number)

    def advance(self) -> bool:
        """Close the steps that the watermark has passed, and run due page timers: 200 steps at most.

        Returns True if more steps are due.

        Call `take_changes` after each call, so that changes are written in their order.
        """
        now_ms, now_s = self._clock.now_ms(), self._clock.monotonic()
        watermark_ms = self.windows.watermark(now_ms, now_s)
        self._report_left_out()
        if watermark_ms is None:
            return False
        self._catch_up.begin(now_ms, now_s, self.windows.gained_ms(now_ms))
        self._metrics.watermark_lag_seconds.set((now_ms - watermark_ms) / 1000)
        until_ms = watermark_ms - self.windows.lateness_ms
        for _ in range(_MAX_STEPS):
            busy = self._episodes.open > 0 or self._evaluators.watches_silence
            start_ms = self.windows.next_to_close(watermark_ms, busy=busy)
            due_ms = self._episodes.paging.due_ms()
            reached_ms = max(due_ms or 0, self.windows.progress.closed_ms or 0)
            behind_ms = None if due_ms is None else self._catch_up.behind_ms(reached_ms, until_ms)
            self._episodes.behind_ms = behind_ms
            due = due_ms is not None and due_ms <= until_ms and behind_ms is None
            if due_ms is not None and due and (start_ms is None or due_ms < start_ms + self._step_ms):
                late = due_ms + self._step_ms < reached_ms
                self._notify(self._episodes.run_timers(reached_ms if late else due_ms, late=late))
            elif start_ms is not None:
                self._close(start_ms)
            else:
                return False
        return True

    def take_changes(self) -> Changes:
        """Return everything that changed since the last call; the caller writes, sends and archives it."""
        progress = self.windows.progress
        if self._episodes.dirty or self._changelog.closed_ms != progress.closed_ms:
            for rule, key, baseline in self._due_baselines():
                self._changelog.put_baseline(rule, key, baseline)
            self._changelog.put_state(progress, self._episodes.all(), self._episodes.paging.state)
            self._episodes.dirty = False
        forgotten = self._episodes.take_forgotten()
        for dedup_key in forgotten:
            if self._evidence.pop(dedup_key, None) is not None:
                self._changelog.delete_evidence(dedup_key)
            if self._charts.drop(dedup_key):
                self._changelog.delete_chart(dedup_key)
        changes = self._changelog.take(self._episodes.take_changed())
        changes.forgotten = forgotten
        return changes

    def delivered(self, dedup_key: str, event: Event, receiver: str, error: str | None = None) -> None:
        """Record that a notification is finished for a receiver: accepted, or given up because of `error`."""
        notification = self._pending.delivered(dedup_key, event, receiver)
        if notification is not None and event == "firing":
            if error is None:
                self._episodes.page_taken(_members(notification), receiver)
            elif not notification.repeat:
                self._episodes.page_refused(_members(notification), receiver, error, retried=False)
        if notification is not None and notification.pending:
            self._changelog.update_notification(notification)
        elif notification is not None:
            self._changelog.delete_notification(notification)

    def refused(self, dedup_key: str, event: Event, receiver: str, error: str) -> None:
        """Record that a receiver refused a notification, which stays pending and is sent again."""
        notification = self._pending.find(dedup_key, event, receiver)
        if notification is not None:
            self._episodes.page_refused(_members(notification), receiver, error, retried=True)

    def page_arrived(self, dedup_key: str, receiver: str) -> bool:
        """Return true if the receiver has accepted the alert's page, or if it is unknown which receivers have."""
        episode = self._episodes.get(dedup_key)
        return episode is None or episode.taken_by is None or receiver in episode.taken_by

    def delivered_pages(self) -> list[DeliveredPage]:
        """Unresolved pages that at least one receiver accepted; some receivers need them repeated after a restart."""
        found = []
        for page in self._episodes.paging.state.pages.values():
            lead, *others = [self._episodes.get(key) for key in page.members]
            waiting = self._pending.receivers_without_page(page.key)
            receivers = [name for name in page.receivers if name not in waiting and self.page_arrived(page.key, name)]
            if lead is not None and receivers:
                also = [self.alert(other) for other in others if other is not None]
                found.append(DeliveredPage(self.alert(lead), also, receivers))
        return found

    def act(self, action: EpisodeAction) -> bool:
        """Apply a user's action to an alert and to the other alerts of its page.

        Returns false if the alert is not in this partition, or if this action or a later one was already applied. Of
        actions on a resolved alert, only a comment is applied.
        """
        notifications = self._episodes.act(action)
        if notifications is None:
            return False
        self._notify(notifications, action.at_ms)
        return True

    def assessed(self, dedup_key: str) -> bool:
        """Archive an alert again because its assessment has changed. False if this partition no longer holds it."""
        return self._episodes.archive_again(dedup_key)

    def episode(self, dedup_key: str) -> Episode | None:
        return self._episodes.get(dedup_key)

    def evidence(self, dedup_key: str) -> Evidence | None:
        """Return the evidence that was found in the index for an episode; None if there is none yet."""
        return self._evidence.get(dedup_key)

    def attach(self, dedup_key: str, evidence: Evidence) -> Episode | None:
        """Store evidence for an episode, and return the episode; None if the engine no longer holds it."""
        episode = self._episodes.get(dedup_key)
        if episode is not None:
            self._evidence[dedup_key] = evidence
            self._changelog.put_evidence(dedup_key, evidence)
        return episode

    def archived(self, dedup_key: str, version: int) -> None:
        """Record that the alerts index and the topic `alerts` have stored this version of the alert."""
        self._episodes.archived(dedup_key, version)

    def alert(self, episode: Episode) -> Alert:
        """Build the alert document of an episode, with its latest evidence and chart."""
        return build_alert(
            episode,
            self._rules.get(episode.rule),
            self._settings,
            self._clock.now_ms(),
            evidence=self._evidence.get(episode.dedup_key),
            chart=self._chart(episode),
            assessment=self._assessments.get(episode.dedup_key),
        )

    def _chart(self, episode: Episode) -> Chart | None:
        """The chart of an episode; of one from before there were such charts, the latest steps while it is open."""
        if (chart := self._charts.get(episode.dedup_key)) is not None or not episode.open:
            return chart
        return self._evaluators.chart(episode.rule, episode.key)

    def _merge(self, count: KeyCount, batch: WindowCounts) -> MergeOutcome:
        outcome = self.windows.merge(count, batch)
        if outcome in {MergeOutcome.MERGED, MergeOutcome.CORRECTED, MergeOutcome.OTHERS}:
            start_ms, key, window_sum = self.windows.last_merged
            self._changelog.put_sum(start_ms, key, window_sum)
            if outcome is MergeOutcome.CORRECTED and not self._evaluators.correct(
                start_ms, key, window_sum.dimensions, count.negative, count.total
            ):
                outcome = MergeOutcome.LATE
        elif outcome is MergeOutcome.OTHER_STEP:
            log.warning(
                "window_count_ignored",
                reason=f"counted by {batch.window_ms // 1000} s, alerting.window_s is {self._settings.window_s}",
            )
        return outcome

    def _close(self, start_ms: int) -> None:
        missing = self.windows.missing(start_ms + self._step_ms)
        sums, left_out = self.windows.sums.get(start_ms, {}), sorted(self.windows.left_out)
        notifications = self._episodes.close_step(start_ms, sums, missing, left_out)
        for episode in self._episodes.take_stepped():
            if (latest := self._evaluators.chart(episode.rule, episode.key)) is not None:
                self._charts.extend(episode.dedup_key, latest)
        for start, key in self.windows.close(start_ms):
            self._changelog.delete_sum(start, key)
        self._notify(notifications)
        self._episodes.forget(self._pending.page_keys)

    def _notify(self, requests: Iterable[PageNotification], action_ms: int | None = None) -> None:
        for request in requests:
            notification = self._pending.add(
                request, self._episodes.get, self.alert, self._changelog.next_serial, action_ms
            )
            if notification is not None:
                self._changelog.add_notification(notification)

    def _due_baselines(self) -> Iterable[tuple[str, str, StoredBaseline]]:
        closed_ms, before_ms = self.windows.progress.closed_ms, self._changelog.closed_ms
        if closed_ms is None or closed_ms == before_ms:
            return ()
        last_ms = closed_ms - self._step_ms
        return self._evaluators.take_due(last_ms if before_ms is None else min(before_ms, last_ms), last_ms)

    def _report_left_out(self) -> None:
        left_out = self.windows.left_out
        for name in sorted(left_out - self._left_out):
            log.warning("partition_left_out", partition=name, silent_for_more_than_s=self._settings.max_hold_s)
        for name in sorted(self._left_out - left_out):
            log.info("partition_back", partition=name)
        self._left_out = left_out
        self._metrics.partitions_left_out.set(len(left_out))
        lagging = self.windows.lagging
        for name in sorted(lagging - self._lagging):
            log.warning("partition_lags", partition=name, then="steps are evaluated without it; it corrects them later")
        for name in sorted(self._lagging - lagging - left_out):
            log.info("partition_caught_up", partition=name)
        self._lagging = lagging
        self._metrics.partitions_lagging.set(len(lagging))


def _members(notification: PendingNotification) -> list[str]:
    """Dedup keys of the alerts on a page."""
    return [notification.alert.dedup_key, *(other.dedup_key for other in notification.also)]
