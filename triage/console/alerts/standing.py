"""Standing of an alert in the list: whether it needs somebody's attention now."""

from collections.abc import Sequence
from typing import Literal

from triage.alerting.lifecycle.silences import Silences
from triage.clock import parse_rfc3339
from triage.schemas.action import Silence
from triage.schemas.alert import Alert

Standing = Literal["firing", "acknowledged", "snoozed", "silenced", "resolved"]


def standing_of(alert: Alert, silences: Sequence[Silence], now_ms: int) -> Standing:
    """Return `firing` for a firing alert that nobody takes care of yet.

    Otherwise the first that applies: `resolved`, `silenced`, `snoozed` or `acknowledged`.
    """
    if alert.status == "resolved":
        return "resolved"
    if Silences(silences).active_for(alert.dimensions, alert.rule, alert.severity, now_ms) is not None:
        return "silenced"
    if alert.snoozed_until is not None and now_ms < parse_rfc3339(alert.snoozed_until):
        return "snoozed"
    return "firing" if alert.acknowledged is None else "acknowledged"
