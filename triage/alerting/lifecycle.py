"""Lifecycle of an alert: quiet -> firing -> resolved, one dedup key an episode. Pure."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from triage.alerting.detector import RuleWindow, Verdict
from triage.schemas.alert import AlertStatus, Example, Share


class Change(StrEnum):
    FIRED = "fired"
    PAGED = "paged"  # recorded before as too old to page, and still firing now that it is not
    UPDATED = "updated"
    RESOLVED = "resolved"


class Evidence(msgspec.Struct):
    """What the index says about an episode's records."""

    top_intents: list[Share] = []
    top_entities: list[Share] = []
    examples: list[Example] = []


class Episode(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One stretch of firing of a rule and key. Times are event time in ms.

    `started_ms` is the start of the step that fired first, `last_step_ms` of the one judged last, `last_firing_ms` of
    the last that fired; `quiet` counts the steps since. Numbers are those of the rule's window at the last step.
    """

    dedup_key: str
    rule: str
    key: str
    dimensions: dict[str, str]
    status: AlertStatus
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
    quiet: int = 0
    expected: float | None = None
    paged: bool = False
    not_paged_because: str | None = None
    runbook: str | None = None
    evidence: Evidence | None = None

    @property
    def firing(self) -> bool:
        return self.status == "firing"

    @property
    def version(self) -> int:
        """Grows with every change of the alert's state: the external version of its document."""
        return (self.end_ms << 1) | (not self.firing)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a rule asks of the lifecycle."""

    resolve_after: int
    severity: str
    runbook: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """`notify`: receivers are told; it follows a firing or a resolve only, once each an episode."""

    episode: Episode | None
    change: Change | None = None
    notify: bool = False


def step(
    episode: Episode | None, window: RuleWindow, verdict: Verdict, policy: Policy, too_old: str | None
) -> Transition:
    """Judge the next closed window of a rule and key.

    `episode` is the key's last one, open or resolved, or None. `too_old` says why this window may not page, or None.
    A window that was judged before changes nothing, so that windows can be closed again after a crash.
    """
    if episode is not None and window.step_start_ms <= episode.last_step_ms:
        return Transition(episode)
    if episode is None or not episode.firing:
        if not verdict.firing or window.negative < 1:
            return Transition(episode)
        return _fire(window, verdict, policy, too_old)
    updated = msgspec.structs.replace(
        episode,
        last_step_ms=window.step_start_ms,
        end_ms=window.end_ms,
        negative=window.negative,
        total=window.total,
        expected=verdict.expected,
    )
    if verdict.firing:
        return _go_on(updated, window, too_old)
    updated.quiet += 1
    if updated.quiet < policy.resolve_after:
        return Transition(updated, Change.UPDATED)
    updated.status = "resolved"
    return Transition(updated, Change.RESOLVED, notify=updated.paged)


def _fire(window: RuleWindow, verdict: Verdict, policy: Policy, too_old: str | None) -> Transition:
    episode = Episode(
        dedup_key=dedup_key(window),
        rule=window.rule,
        key=window.key,
        dimensions=dict(window.dimensions),
        status="firing",
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
        expected=verdict.expected,
        paged=too_old is None,
        not_paged_because=too_old,
        runbook=policy.runbook,
    )
    return Transition(episode, Change.FIRED, notify=episode.paged)


def _go_on(episode: Episode, window: RuleWindow, too_old: str | None) -> Transition:
    episode.quiet = 0
    episode.last_firing_ms = window.step_start_ms
    if window.negative > episode.peak_negative:
        episode.peak_negative, episode.peak_total = window.negative, window.total
    if not episode.paged and too_old is None:
        episode.paged, episode.not_paged_because = True, None
        return Transition(episode, Change.PAGED, notify=True)
    return Transition(episode, Change.UPDATED)


def dedup_key(window: RuleWindow) -> str:
    """`triage-` and 40 hex digits of SHA-256 over rule, dimension values and the step that the episode starts with."""
    parts = [window.rule, window.key, window.step_start_ms]
    return "triage-" + hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]
