"""State of one partition of `window-counts`: counts in, alerts and pages out. No I/O.

Every change is a write to the state table, in the order in which they must reach its changelog: an episode and the
pages that it owes are one entry, and the progress that says "closed" comes after the episodes that closing made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from triage.alerting.detector import Detector, RuleWindow, StaticDetector, Verdict
from triage.alerting.lifecycle import Change, Episode, Evidence, Policy, step
from triage.alerting.page import build_alert, duration
from triage.alerting.rules import AlertRules, Rule
from triage.alerting.windows import Merge, PartitionWindows, Progress, Sum, WindowSum
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.schemas.alert import Alert, AlertStatus
from triage.schemas.counts import CountMessage, Watermark

log = get_logger("triage.alerter")

_STEPS_AT_ONCE = 200
# An episode that Elasticsearch has not taken for so long after its resolve is forgotten.
_FORGET_MS = 7 * 86_400_000


class Intent(msgspec.Struct):
    """A page or resolve that `pending` receivers have still to take."""

    event: AlertStatus
    alert: Alert
    pending: list[str]


class Record(msgspec.Struct):
    """An episode and the pages it owes: one entry of the table, so that neither is ever stored without the other."""

    episode: Episode
    intents: list[Intent] = []
    archived: bool = False  # its resolved state has reached the index and the topic


@dataclass(slots=True)
class Changes:
    """What to write (None deletes), then to send, then to store."""

    writes: dict[str, Any] = field(default_factory=dict)
    intents: list[Intent] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)


class PartitionEngine:
    """Windows, episodes and owed pages of one partition.

    `receivers` are the notifiers that are configured; `expected` the raw partitions that will report watermarks.
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
        detector: Callable[[Rule], Detector] = lambda rule: StaticDetector(rule.static),
    ) -> None:
        self._rules = rules
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._receivers = receivers
        self._detectors = {rule.name: detector(rule) for rule in rules.rules}
        self.windows = PartitionWindows(
            step_ms=settings.window_s * 1000,
            lateness_ms=settings.allowed_lateness_s * 1000,
            retain_ms=rules.longest_window_ms,
            max_hold_s=settings.max_hold_s,
            expected=expected,
            started_s=clock.monotonic(),
            max_keys=settings.max_keys,
        )
        self._records: dict[str, Record] = {}
        self._current: dict[tuple[str, str], str] = {}
        self._changes = Changes()
        self._sums: dict[str, WindowSum] = {}
        self._left_out: frozenset[str] = frozenset()

    def restore(self, entries: Mapping[str, Any]) -> None:
        """Take over stored state; what is owed is in the next changes again, to be sent and stored."""
        progress = Progress()
        sums: dict[int, dict[str, WindowSum]] = {}
        for name, value in entries.items():
            kind, _, rest = name.partition(":")
            if kind == "progress":
                progress = msgspec.convert(value, Progress)
            elif kind == "sum":
                start, _, key = rest.partition(":")
                sums.setdefault(int(start), {})[key] = msgspec.convert(value, WindowSum)
            elif kind == "episode":
                record = msgspec.convert(value, Record)
                self._records[record.episode.dedup_key] = record
        self.windows.restore(progress, sums, self._clock.monotonic())
        for record in sorted(self._records.values(), key=lambda record: record.episode.last_step_ms):
            episode = record.episode
            self._current[episode.rule, episode.key] = episode.dedup_key
            self._changes.intents += record.intents
            if not record.archived:
                self._changes.episodes.append(episode)

    @property
    def open_episodes(self) -> int:
        return sum(record.episode.firing for record in self._records.values())

    def apply(self, message: CountMessage) -> None:
        """Take one message of `window-counts`."""
        if isinstance(message, Watermark):
            self.windows.observe(message, self._clock.monotonic())
            return
        if not self._rules.concern(message.dimensions):
            return
        outcome = self.windows.merge(message)
        self._metrics.window_counts_merged.labels(outcome).inc()
        if outcome in {Merge.MERGED, Merge.CORRECTED}:
            found = self.windows.sums[message.window_start_ms][message.key]
            self._sums[f"sum:{message.window_start_ms}:{message.key}"] = found
        elif outcome is Merge.OTHER_STEP:
            log.warning(
                "window_count_ignored",
                reason=f"counted by {message.window_ms // 1000} s, alerting.window_s is {self._settings.window_s}",
            )

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
        self._forget()
        progressed = False
        gone: list[str] = []
        for _ in range(_STEPS_AT_ONCE):
            start_ms = self.windows.next_to_close(watermark_ms, busy=self.open_episodes > 0)
            if start_ms is None:
                break
            self._judge(start_ms, now_ms)
            gone += [f"sum:{start}:{key}" for start, key in self.windows.close(start_ms)]
            progressed = True
        if progressed:
            self._changes.writes.pop("progress", None)
            self._changes.writes["progress"] = msgspec.to_builtins(self.windows.progress)
            for name in gone:
                self._sums.pop(name, None)
                self._changes.writes[name] = None
        return progressed and self.windows.next_to_close(watermark_ms, busy=self.open_episodes > 0) is not None

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes, self._changes = self._changes, Changes()
        changes.writes = {name: msgspec.to_builtins(found) for name, found in self._sums.items()} | changes.writes
        self._sums = {}
        return changes

    def delivered(self, dedup_key: str, event: AlertStatus, receiver: str) -> None:
        """A receiver took the page, or will never take it."""
        record = self._records.get(dedup_key)
        if record is None:
            return
        for intent in record.intents:
            if intent.event == event and receiver in intent.pending:
                intent.pending.remove(receiver)
        record.intents = [intent for intent in record.intents if intent.pending]
        self._save(record)

    def episode(self, dedup_key: str) -> Episode | None:
        record = self._records.get(dedup_key)
        return record.episode if record else None

    def evidence(self, dedup_key: str) -> Evidence | None:
        """What is known of the index about an episode."""
        episode = self.episode(dedup_key)
        return episode.evidence if episode else None

    def attach(self, dedup_key: str, evidence: Evidence) -> Episode | None:
        """Keep what the index says about an episode; returns it, to be stored with it."""
        record = self._records.get(dedup_key)
        if record is None:
            return None
        record.episode.evidence = evidence
        self._save(record)
        return record.episode

    def archived(self, dedup_key: str, version: int) -> None:
        """The index and the topic have this version of the episode's alert."""
        record = self._records.get(dedup_key)
        if record is not None and not record.episode.firing and record.episode.version == version:
            record.archived = True
            self._save(record)

    def alert(self, episode: Episode) -> Alert:
        return build_alert(episode, self._rules.get(episode.rule), self._settings, self._clock.now_ms())

    def _judge(self, start_ms: int, now_ms: int) -> None:
        summed: dict[int, dict[str, Sum]] = {}
        zero: set[str] = {dedup for dedup in self._current.values() if self._records[dedup].episode.firing}
        for rule in self._rules.rules:
            window_ms = rule.window_s * 1000
            if window_ms not in summed:
                summed[window_ms] = self.windows.summed(start_ms, window_ms)
            for key, found in summed[window_ms].items():
                if rule.matches(found.dimensions):
                    zero.discard(self._current.get((rule.name, key), ""))
                    window = self._window(rule.name, key, found, start_ms, window_ms)
                    self._step(rule, window, self._detectors[rule.name].step(window), now_ms)
        # Open episodes without a record in their window, or whose rule is gone: quiet, all the same.
        for dedup_key in sorted(zero):
            episode = self._records[dedup_key].episode
            none = Sum(episode.dimensions, 0, 0)
            window = self._window(episode.rule, episode.key, none, start_ms, episode.window_ms)
            known = self._rules.get(episode.rule)
            verdict = self._detectors[episode.rule].step(window) if known else Verdict(firing=False)
            self._step(known, window, verdict, now_ms)

    def _window(self, rule: str, key: str, found: Sum, start_ms: int, window_ms: int) -> RuleWindow:
        end_ms = start_ms + self._settings.window_s * 1000
        return RuleWindow(rule, key, found.dimensions, start_ms, end_ms, window_ms, found.negative, found.total)

    def _step(self, rule: Rule | None, window: RuleWindow, verdict: Verdict, now_ms: int) -> None:
        current = self._current.get((window.rule, window.key))
        episode = self._records[current].episode if current else None
        policy = Policy(rule.resolve_after, rule.severity, rule.runbook) if rule else Policy(1, "info")
        transition = step(episode, window, verdict, policy, self._too_old(window, now_ms))
        if transition.change is None or transition.episode is None:
            return
        after = transition.episode
        record = self._records.setdefault(after.dedup_key, Record(after))
        record.episode = after
        self._current[window.rule, window.key] = after.dedup_key
        if transition.change is not Change.UPDATED:
            self._announce(after, transition.change)
        if transition.notify:
            wanted = self._receivers if rule is None or rule.notify is None else rule.notify
            intent = Intent(after.status, self.alert(after), [name for name in self._receivers if name in wanted])
            if intent.pending:
                record.intents.append(intent)
                self._changes.intents.append(intent)
        self._save(record)
        self._changes.episodes.append(after)

    def _announce(self, episode: Episode, change: Change) -> None:
        self._metrics.alert_transitions.labels(episode.rule, episode.status).inc()
        log.info(
            "episode_changed",
            change=change.value,
            rule=episode.rule,
            key=episode.key,
            dedup_key=episode.dedup_key,
            negative=episode.negative,
            total=episode.total,
            paged=episode.paged,
            not_paged_because=episode.not_paged_because,
        )

    def _too_old(self, window: RuleWindow, now_ms: int) -> str | None:
        age_ms, most_s = now_ms - window.end_ms, self._settings.max_page_age_s
        if age_ms <= most_s * 1000:
            return None
        return (
            f"its window closed {duration(age_ms)} ago, more than {duration(most_s * 1000)} (alerting.max_page_age_s)"
        )

    def _save(self, record: Record) -> None:
        # Written where it changed last: never behind the progress that depends on it.
        name = f"episode:{record.episode.dedup_key}"
        self._changes.writes.pop(name, None)
        self._changes.writes[name] = msgspec.to_builtins(record)

    def _forget(self) -> None:
        closed_ms = self.windows.progress.closed_ms
        if closed_ms is None:
            return
        for dedup_key, record in list(self._records.items()):
            episode = record.episode
            if episode.firing or record.intents or episode.last_step_ms >= closed_ms:
                continue
            if record.archived or episode.end_ms < closed_ms - _FORGET_MS:
                del self._records[dedup_key]
                if self._current.get((episode.rule, episode.key)) == dedup_key:
                    del self._current[episode.rule, episode.key]
                self._changes.writes[f"episode:{dedup_key}"] = None

    def _report_left_out(self) -> None:
        left_out = self.windows.left_out
        for name in sorted(left_out - self._left_out):
            log.warning("partition_left_out", partition=name, silent_for_more_than_s=self._settings.max_hold_s)
        for name in sorted(self._left_out - left_out):
            log.info("partition_back", partition=name)
        self._left_out = left_out
        self._metrics.partitions_left_out.set(len(left_out))
