"""Proposes a stricter rule after three false alerts in a row. Rules are only changed by their owner. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from triage.alerting.rules.model import Rule
from triage.elastic.alert_counts import PastAlert

IN_A_ROW = 3
_FASTER = 0.5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed change of a rule's setting from `now` to `instead`, both written as in the rule file.

    `first_ms` and `last_ms` are the starts of the first and the last of the false alerts.
    """

    now: str
    instead: str
    first_ms: int
    last_ms: int


def propose(rule: Rule, alerts: Sequence[PastAlert]) -> Proposal | None:
    """Return a proposal if the three newest assessed alerts of a rule were all false, else None.

    `alerts` are those of the rule, newest first.
    """
    assessed = [alert for alert in alerts if alert.verdict is not None][:IN_A_ROW]
    if len(assessed) < IN_A_ROW or any(alert.verdict != "false" for alert in assessed):
        return None
    by_static = all("spike" not in alert.causes for alert in assessed)
    setting = (_static(rule, assessed) if by_static else None) or _spike(rule)
    if setting is None:
        return None
    return Proposal(*setting, assessed[-1].started_ms, assessed[0].started_ms)


def _spike(rule: Rule) -> tuple[str, str] | None:
    if rule.silence is not None:
        return _half(rule.silence.false_alerts)
    if rule.spike is None:
        return None
    if (score := rule.spike.z_count) is not None:
        return f"z_count: {score:g}", f"z_count: {score + _FASTER:g}"
    return _half(rule.spike.false_alerts)


def _half(text: str) -> tuple[str, str]:
    half = re.sub(r"^\s*[0-9.]+", lambda number: f"{float(number[0]) / 2:.4g}", text)
    return f"false_alerts: {text}", f"false_alerts: {half}"


def _static(rule: Rule, alerts: Sequence[PastAlert]) -> tuple[str, str] | None:
    """The least number of records that none of the false alerts reached."""
    if rule.static is None:
        return None
    reached = max(alert.peak_negative for alert in alerts)
    least = rule.static.count_at_least
    return f"count_at_least: {least}", f"count_at_least: {max(reached, least) + 1}"
