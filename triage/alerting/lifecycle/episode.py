"""Lifecycle of an alert: pending → firing → ongoing → recovering → resolved, one dedup key per episode. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.schemas.alert import Acknowledgement, AlertState, AlertStatus, Assignment, HistoryEntry, Refusal

# The receiver that reaches nobody: it is always configured.
LOG = "log"
# The cause of alerts that fire because there are no records.
SILENCE = "silence"
# Flapping as Kibana defines it.
FLAP_WINDOWS = 20
FLAP_CHANGES = 4
# A spike that was resolved by hand is a new alert at so many times its peak.
_GROWN = 2
_HISTORY = (1 << FLAP_WINDOWS) - 1


class Change(StrEnum):
    PENDING = "pending"
    FIRED = "fired"
    UPDATED = "updated"
    RESOLVED = "resolved"
    DROPPED = "dropped"  # pending, and never fired
    HELD = "held"  # resolved by hand, and still fires


class Episode(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An alert's episode: one period in which a rule fires for a key. Times are event time in ms.

    `started_ms` is the start of the first firing step, `last_step_ms` of the last evaluated step, `last_firing_ms` of
    the last firing step. `quiet` counts the steps since then, `hits` the consecutive firing steps. Counts are of the
    rule's window at the last step; `peak_...` are of the window with most negatives. `changes` has one bit for each of
    the last 20 steps, the newest in the lowest bit: set where the verdict differed from that of the step before.

    `page` is the dedup key with which the page was sent; if several alerts share a page it is that of the first.
    `taken_by` are the receivers that accepted the page; None if the alerter that sent it did not record them.
    `refusals` are receivers that did not, and their reasons. `without` are lagging partitions whose counts may be
    missing from the latest window. `acted_ms` is the time of the last user's action, by the clock of its sender.
    `told_at` is when the first receiver other than the log accepted the page. `resolved_by` resolved it manually at
    `resolved_ms`; `still_firing_ms` is the last step after that which would have fired. `history` lists users' actions.
    The field names are those in the changelog.
    """

    dedup_key: str
    rule: str
    key: str
    dimensions: dict[str, str]
    state: AlertState
    severity: str
    window_ms: int
    started_ms: int
    last_step_ms: int
    last_firing_ms: int
    end_ms: int
    negative: int
    total: int
    peak_negative: int
    peak_total: int
    peak_expected: float | None = None
    peak_end_ms: int = 0
    hits: int = 0
    quiet: int = 0
    changes: int = 0
    flapping: bool = False
    was_firing: bool = False
    expected: float | None = None
    score: float | None = None
    causes: list[str] = []
    late_records: int = 0
    page: str | None = None
    not_paged_because: str | None = None
    runbook: str | None = None
    acknowledged: Acknowledgement | None = None
    snoozed: Acknowledgement | None = None
    snoozed_until_ms: int | None = None
    acted_ms: int = 0
    archived: bool = False
    taken_by: list[str] | None = None
    refusals: list[Refusal] = []
    without: list[str] = []
    told_at: str | None = None
    assigned: Assignment | None = None
    resolved_by: Acknowledgement | None = None
    resolved_ms: int | None = None
    still_firing_ms: int = 0
    history: list[HistoryEntry] = []

    @property
    def paged(self) -> bool:
        """True if a receiver other than the log has accepted its page."""
        return self.page is not None and (self.taken_by is None or any(name != LOG for name in self.taken_by))

    @property
    def firing(self) -> bool:
        """True in the states from `firing` to `recovering`, false while pending and once resolved."""
        return self.state not in {"pending", "resolved"}

    @property
    def open(self) -> bool:
        return self.state != "resolved"

    @property
    def status(self) -> AlertStatus:
        return "resolved" if self.state == "resolved" else "firing"

    @property
    def version(self) -> int:
        """Version of the alert's document for Elasticsearch's external versioning: it never decreases."""
        return (self.end_ms << 1) | (not self.open)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a rule that determine when its alerts open and resolve.

    `pending` is the number of consecutive firing steps before the one that opens an alert, `resolve_after` the number
    of consecutive quiet steps that resolve it. `rule_removed`: the rule is no longer in the rule file, and open
    episodes resolve at once.
    """

    resolve_after: int
    severity: str
    runbook: str | None = None
    pending: int = 0
    rule_removed: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    episode: Episode | None
    change: Change | None = None


def step(episode: Episode | None, window: RuleWindow, verdict: Verdict, policy: Policy) -> Transition:
    """Apply the next closed window of a rule and key to its episode: open, continue or end it.

    `episode` is the key's latest one, open or resolved, or None; it is not changed, the transition has the new one.
    Only silence rules fire for a window without negatives. A window that was applied before changes nothing.
    """
    if episode is not None and window.step_start_ms <= episode.last_step_ms:
        return Transition(episode)
    firing = verdict.firing and (window.negative >= 1 or SILENCE in verdict.causes)
    changes, flapping = _history(episode, window, firing=firing)
    if firing and episode is not None and _is_held(episode, window, policy):
        still = {"last_step_ms": window.step_start_ms, "still_firing_ms": window.step_start_ms}
        return Transition(msgspec.structs.replace(episode, **still), Change.HELD)
    if episode is None or not episode.open:
        return _open(window, verdict, policy, changes, flapping=flapping) if firing else Transition(episode)
    after = msgspec.structs.replace(
        episode,
        last_step_ms=window.step_start_ms,
        end_ms=window.end_ms,
        negative=window.negative,
        total=window.total,
        expected=verdict.expected,
        score=verdict.score,
        changes=changes,
        flapping=flapping,
        was_firing=firing,
        late_records=window.late,
    )
    if firing:
        return _continue(after, window, verdict, policy)
    after.quiet += 1
    after.hits = 0
    over = policy.rule_removed or (after.quiet >= policy.resolve_after and not after.flapping)
    if over:
        change = Change.DROPPED if after.state == "pending" else Change.RESOLVED
        after.state = "resolved"
        return Transition(after, change)
    if after.state != "pending":
        after.state = "recovering"
    return Transition(after, Change.UPDATED)


def held_until_ms(episode: Episode, step_ms: int, resolve_after: int) -> int | None:
    """Time until which a manually resolved spike opens no new episode; None if it was not resolved manually.

    It counts as the same spike until `resolve_after` steps were quiet.
    """
    if episode.resolved_by is None:
        return None
    return max(episode.last_firing_ms, episode.still_firing_ms) + (resolve_after + 1) * step_ms


def _is_held(episode: Episode, window: RuleWindow, policy: Policy) -> bool:
    """True while a firing window belongs to a spike that was resolved by hand, and has not grown far beyond it."""
    until_ms = held_until_ms(episode, window.end_ms - window.step_start_ms, policy.resolve_after)
    if until_ms is None or window.step_start_ms >= until_ms:
        return False
    if SILENCE in episode.causes:
        return True
    # At its peak the rule's window may have held only the beginning of the spike.
    full = episode.window_ms / min(max(episode.peak_end_ms - episode.started_ms, 1), episode.window_ms)
    return window.negative < _GROWN * episode.peak_negative * full


def _open(window: RuleWindow, verdict: Verdict, policy: Policy, changes: int, *, flapping: bool) -> Transition:
    # A flapping key is not a single outlier: it might never fire in `pending` steps in a row.
    pending = policy.pending > 0 and not flapping
    episode = Episode(
        dedup_key=dedup_key(window),
        rule=window.rule,
        key=window.key,
        dimensions=dict(window.dimensions),
        state="pending" if pending else "firing",
        severity=policy.severity,
        window_ms=window.window_ms,
        started_ms=window.step_start_ms,
        last_step_ms=window.step_start_ms,
        last_firing_ms=window.step_start_ms,
        end_ms=window.end_ms,
        negative=window.negative,
        total=window.total,
        peak_negative=window.negative,
        peak_total=window.total,
        peak_expected=verdict.expected,
        peak_end_ms=window.end_ms,
        hits=1,
        changes=changes,
        flapping=flapping,
        was_firing=True,
        expected=verdict.expected,
        score=verdict.score,
        causes=list(verdict.causes),
        late_records=window.late,
        runbook=policy.runbook,
    )
    return Transition(episode, Change.PENDING if pending else Change.FIRED)


def _continue(episode: Episode, window: RuleWindow, verdict: Verdict, policy: Policy) -> Transition:
    episode.quiet = 0
    episode.hits += 1
    episode.last_firing_ms = window.step_start_ms
    episode.causes = sorted({*episode.causes, *verdict.causes})
    if window.negative > episode.peak_negative:
        episode.peak_negative, episode.peak_total = window.negative, window.total
        episode.peak_expected, episode.peak_end_ms = verdict.expected, window.end_ms
    if episode.state != "pending":
        episode.state = "ongoing"
    elif episode.hits > policy.pending or episode.flapping:
        episode.state = "firing"
        return Transition(episode, Change.FIRED)
    return Transition(episode, Change.UPDATED)


def _history(episode: Episode | None, window: RuleWindow, *, firing: bool) -> tuple[int, bool]:
    """Bits of the steps at which the verdict changed, for the last 20 steps, and True if the key flaps."""
    if episode is None:
        return int(firing), False
    steps = (window.step_start_ms - episode.last_step_ms) // (window.end_ms - window.step_start_ms)
    before = (episode.changes << min(steps, FLAP_WINDOWS)) & _HISTORY
    # Windows between two episodes are quiet, and were not evaluated one by one.
    was_firing = episode.was_firing and episode.open
    changes = before | (firing != was_firing)
    if changes.bit_count() >= FLAP_CHANGES:
        return changes, True
    return changes, episode.flapping and before != 0


def dedup_key(window: RuleWindow) -> str:
    """The alert's id, with which receivers match later updates and the resolve to the alert.

    `triage-` and 40 hex digits of SHA-256 over the rule, the dimension values and the first step of the episode.
    """
    parts = [window.rule, window.key, window.step_start_ms]
    return "triage-" + hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]
