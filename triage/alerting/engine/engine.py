"""State of one partition of `window-counts`: counts in, alerts and pages out. No I/O.

Every change is a write to the state table, in the order in which they must reach its changelog (see `state`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from triage.alerting.engine import state as stored
from triage.alerting.engine.changelog import ChangelogBuffer, Changes
from triage.alerting.engine.episodes import Episodes
from triage.alerting.engine.pending_notifications import PendingNotifications
from triage.alerting.engine.priming import Primed
from triage.alerting.engine.rule_evaluators import RuleEvaluators
from triage.alerting.engine.windows import Merge, PartitionWindows
from triage.alerting.evaluation.stored_baseline import Baseline
from triage.alerting.lifecycle.alert_document import build_alert
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PageNotification
from triage.alerting.lifecycle.silences import Silences
from triage.alerting.rules.model import AlertRules
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.schemas.action import Acknowledge, Snooze
from triage.schemas.alert import Alert, Event, Evidence
from triage.schemas.counts import CountMessage, Watermark, WindowCount

log = get_logger("triage.alerter")

_STEPS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A page that `receivers` took and that still fires."""

    alert: Alert
    also: list[Alert]
    receivers: list[str]


class PartitionEngine:
    """Windows, baselines, episodes and owed pages of one partition.

    `receivers` are the notifiers that are configured, `acknowledging` those of them that want to hear of an
    acknowledgement; `expected` the raw partitions that will report watermarks. `silences` are shared with others.
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
        silences: Silences | None = None,
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._step_ms = settings.window_s * 1000
        self._judges = RuleEvaluators(rules, settings)
        self.windows = PartitionWindows(
            step_ms=self._step_ms,
            lateness_ms=settings.allowed_lateness_s * 1000,
            retain_ms=self._judges.retain_ms,
            max_hold_s=settings.max_hold_s,
            expected=expected,
            started_s=clock.monotonic(),
            max_keys=settings.max_keys,
        )
        self._episodes = Episodes(
            rules, settings, clock, metrics, self._judges, receivers=receivers, silences=silences or Silences()
        )
        self._owing = PendingNotifications(acknowledging)
        self._evidence: dict[str, Evidence] = {}
        self._ledger = ChangelogBuffer()
        self._left_out: frozenset[str] = frozenset()

    def restore(self, entries: Mapping[str, Any], primed: Primed | None = None) -> None:
        """Take over stored state; what is owed is in the next changes again, to be sent and stored.

        Rules that have learnt nothing so far begin with `primed`.
        """
        found = stored.read(entries, self._step_ms)
        for rule in primed or {}:
            if all(baseline.primed for baseline in found.baselines.get(rule, {}).values()):
                # Also in place of what an earlier attempt has left.
                found.baselines.pop(rule, None)
        self._owing.restore(found.owed.values())
        self._evidence = found.evidence
        progress = found.core.progress
        self.windows.restore(progress, found.sums, self._clock.monotonic())
        if progress.closed_ms is not None:
            self._judges.restore(progress.closed_ms, found.baselines, found.sums)
        self._judges.prime((found.baselines if progress.closed_ms is None else {}) | dict(primed or {}))
        self._episodes.restore(found.core)
        self._ledger.restore(found, (e for e in self._episodes.all() if not e.archived and e.state != "pending"))

    def reload(self, rules: AlertRules) -> None:
        """Other rules are in force; episodes of rules that are gone resolve with the next step."""
        self._rules = rules
        self._judges.reload(rules, self.windows.progress.closed_ms, self.windows.sums)
        self.windows.retain_ms = max(self._judges.retain_ms, self._step_ms)
        self._episodes.reload(rules)

    @property
    def open_episodes(self) -> int:
        return self._episodes.open

    def apply(self, message: CountMessage) -> None:
        """Take one message of `window-counts`."""
        if isinstance(message, Watermark):
            self.windows.observe(message, self._clock.monotonic())
            return
        for count in message.each():
            if self._judges.concern(count.key, count.dimensions):
                self._merge(count)

    def advance(self) -> bool:
        """Close what the watermark allows, a bounded number of steps. True if there is more to close at once.

        Take the changes after each call: what is written must be in their order.
        """
        now_ms = self._clock.now_ms()
        watermark_ms = self.windows.watermark(now_ms, self._clock.monotonic())
        self._report_left_out()
        if watermark_ms is None:
            return False
        self._metrics.watermark_lag_seconds.set((now_ms - watermark_ms) / 1000)
        until_ms = watermark_ms - self.windows.lateness_ms
        for _ in range(_STEPS_AT_ONCE):
            start_ms = self.windows.next_to_close(watermark_ms, busy=self._episodes.open > 0)
            due_ms = self._episodes.paging.due_ms()
            if due_ms is not None and due_ms <= until_ms and (start_ms is None or due_ms < start_ms + self._step_ms):
                self._tell(self._episodes.run(due_ms))
            elif start_ms is not None:
                self._close(start_ms)
            else:
                return False
        return True

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        progress = self.windows.progress
        if self._episodes.dirty or self._ledger.closed_ms != progress.closed_ms:
            for rule, key, baseline in self._due_baselines():
                self._ledger.baseline(rule, key, baseline)
            self._ledger.state(progress, self._episodes.all(), self._episodes.paging.state)
            self._episodes.dirty = False
        forgotten = self._episodes.take_forgotten()
        for dedup_key in forgotten:
            if self._evidence.pop(dedup_key, None) is not None:
                self._ledger.evidence_gone(dedup_key)
        changes = self._ledger.take(self._episodes.take_changed())
        changes.forgotten = forgotten
        return changes

    def delivered(self, dedup_key: str, event: Event, receiver: str) -> None:
        """A receiver took the page, or will never take it."""
        owed = self._owing.delivered(dedup_key, event, receiver)
        if owed is not None and owed.pending:
            self._ledger.owed_still(owed)
        elif owed is not None:
            self._ledger.owed_no_more(owed)

    def told(self) -> list[Told]:
        """The pages that receivers know as firing: after a restart some of them must be told again and again."""
        found = []
        for page in self._episodes.paging.state.pages.values():
            lead, *others = [self._episodes.get(key) for key in page.members]
            late = self._owing.without_page(page.key)
            receivers = [name for name in page.receivers if name not in late]
            if lead is not None and receivers:
                also = [self.alert(other) for other in others if other is not None]
                found.append(Told(self.alert(lead), also, receivers))
        return found

    def act(self, action: Acknowledge | Snooze) -> bool:
        """Acknowledge or snooze an alert and its page; False if it is not ours, is over, or was acted on since."""
        tellings = self._episodes.act(action)
        if tellings is None:
            return False
        self._tell(tellings, action.at_ms)
        return True

    def episode(self, dedup_key: str) -> Episode | None:
        return self._episodes.get(dedup_key)

    def evidence(self, dedup_key: str) -> Evidence | None:
        """What is known of the index about an episode."""
        return self._evidence.get(dedup_key)

    def attach(self, dedup_key: str, evidence: Evidence) -> Episode | None:
        """Keep what the index says about an episode; returns it, to be stored with it."""
        episode = self._episodes.get(dedup_key)
        if episode is not None:
            self._evidence[dedup_key] = evidence
            self._ledger.evidence(dedup_key, evidence)
        return episode

    def archived(self, dedup_key: str, version: int) -> None:
        """The index and the topic have this version of the episode's alert."""
        self._episodes.archived(dedup_key, version)

    def alert(self, episode: Episode) -> Alert:
        """The alert as it stands."""
        return build_alert(
            episode,
            self._rules.get(episode.rule),
            self._settings,
            self._clock.now_ms(),
            evidence=self._evidence.get(episode.dedup_key),
            chart=self._judges.chart(episode.rule, episode.key) if episode.open else None,
        )

    def _merge(self, count: WindowCount) -> None:
        outcome = self.windows.merge(count)
        self._metrics.window_counts_merged.labels(outcome).inc()
        if outcome in {Merge.MERGED, Merge.CORRECTED, Merge.OTHERS}:
            start_ms, key = self.windows.touched
            found = self.windows.sums[start_ms][key]
            self._ledger.sum(start_ms, key, found)
            if outcome is Merge.CORRECTED:
                self._judges.correct(start_ms, key, found.dimensions, count.negative, count.total)
        elif outcome is Merge.OTHER_STEP:
            log.warning(
                "window_count_ignored",
                reason=f"counted by {count.window_ms // 1000} s, alerting.window_s is {self._settings.window_s}",
            )

    def _close(self, start_ms: int) -> None:
        tellings = self._episodes.close(start_ms, self.windows.sums.get(start_ms, {}))
        for start, key in self.windows.close(start_ms):
            self._ledger.sum_gone(start, key)
        self._tell(tellings)
        self._episodes.forget(self._owing.keys)

    def _tell(self, tellings: Iterable[PageNotification], action_ms: int | None = None) -> None:
        for telling in tellings:
            owed = self._owing.owe(telling, self._episodes.get, self.alert, self._ledger.next_serial, action_ms)
            if owed is not None:
                self._ledger.owe(owed)

    def _due_baselines(self) -> Iterable[tuple[str, str, Baseline]]:
        closed_ms, before_ms = self.windows.progress.closed_ms, self._ledger.closed_ms
        if closed_ms is None or closed_ms == before_ms:
            return ()
        last_ms = closed_ms - self._step_ms
        return self._judges.take_due(last_ms if before_ms is None else min(before_ms, last_ms), last_ms)

    def _report_left_out(self) -> None:
        left_out = self.windows.left_out
        for name in sorted(left_out - self._left_out):
            log.warning("partition_left_out", partition=name, silent_for_more_than_s=self._settings.max_hold_s)
        for name in sorted(self._left_out - left_out):
            log.info("partition_back", partition=name)
        self._left_out = left_out
        self._metrics.partitions_left_out.set(len(left_out))
