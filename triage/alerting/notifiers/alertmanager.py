"""Notifier for the Alertmanager API v2, where a firing alert expires unless it is sent again."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from triage.alerting.notifiers.base import Notification, Refused
from triage.alerting.notifiers.content import compose
from triage.alerting.notifiers.http import JsonPost
from triage.alerting.notifiers.text import plain
from triage.alerting.wording import Wording, wording_for
from triage.clock import Clock, SystemClock, parse_rfc3339, rfc3339
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.logging import get_logger
from triage.schemas.alert import Alert

log = get_logger("triage.delivery")

_PATH = "/api/v2/alerts"
# An alert survives this many missed repeats, as with Prometheus, and the restart of an alerter.
_RESENDS_BEFORE_END = 4
_SHORTEST_S = 300


class AlertmanagerNotifier:
    """Sends alerts to every Alertmanager of a cluster; it is enough if one of them accepts.

    Every member gets them, because alerts are not replicated between members. The labels identify an alert and
    therefore stay the same from the first page to the resolve; numbers are annotations. The dispatcher sends a firing
    alert again every `resend_every_s`; the end time in each message is well after the next one. Times are from the real
    clock, because Alertmanager compares them with its own.
    """

    name = "alertmanager"

    def __init__(
        self,
        urls: Sequence[str],
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        wording: Wording | None = None,
        *,
        token: str | None = None,
        resend_s: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else None
        self._posts = [
            JsonPost(self.name, url.rstrip("/") + _PATH, timeout_s, transport, headers=headers) for url in urls
        ]
        self._wording = wording or wording_for("en")
        self._clock = clock or SystemClock()
        self.resend_every_s = resend_s
        self._valid_ms = round(max(_RESENDS_BEFORE_END * resend_s, _SHORTEST_S) * 1000)

    async def send(self, notification: Notification) -> None:
        """Send the alerts of a notification to every Alertmanager. Raises if none of them accepted it.

        Of different errors it raises Unavailable first, else AccessDenied or Refused, else another DependencyError.
        """
        body = msgspec.json.encode(self.alerts(notification))
        results = await asyncio.gather(*(post.post(body) for post in self._posts), return_exceptions=True)
        problems = [result for result in results if isinstance(result, BaseException)]
        if len(problems) == len(results):
            mendable = [problem for problem in problems if isinstance(problem, AccessDenied | Refused)]
            raise next((problem for problem in problems if isinstance(problem, Unavailable)), [*mendable, *problems][0])
        for problem in problems:
            if not isinstance(problem, DependencyError):
                raise problem
            log.warning("alertmanager_left_out", error=str(problem), of=len(results))

    def alerts(self, notification: Notification) -> list[dict[str, Any]]:
        """Content of the request for a notification: one object per alert; Alertmanager groups by its own routes."""
        content = compose(notification, self._wording)
        lead = self._alert(notification.alert, plain(content, self._wording))
        return [lead, *(self._alert(other, other.summary) for other in notification.also)]

    def _alert(self, alert: Alert, description: str) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        # Alertmanager refuses a start after the end, and simulated time may be ahead.
        started_ms = min(parse_rfc3339(alert.started_at), now_ms)
        over = alert.status == "resolved"
        ended_ms = parse_rfc3339(alert.ended_at) if over and alert.ended_at else now_ms
        end_ms = max(min(ended_ms, now_ms), started_ms) if over else now_ms + self._valid_ms
        annotations = {
            "summary": alert.title,
            "description": description,
            "runbook_url": alert.runbook,
            "kibana_url": alert.kibana_url,
        }
        found = {
            "labels": labels(alert),
            "annotations": {name: value for name, value in annotations.items() if value},
            "startsAt": rfc3339(started_ms),
            "endsAt": rfc3339(end_ms),
            "generatorURL": alert.console_url,
        }
        return {name: value for name, value in found.items() if value is not None}

    async def close(self) -> None:
        await asyncio.gather(*(post.close() for post in self._posts))


def labels(alert: Alert) -> dict[str, str]:
    """Labels by which Alertmanager routes and groups the alert.

    `alertname` is the rule. `severity` is the alert's; a dimension of that name becomes `record_severity`. The
    episode's dedup key is a label, so that a late resolve of an old episode never ends a new one.
    """
    own = {"severity": "record_severity"}
    found = {own.get(name, name): value for name, value in sorted(alert.dimensions.items())}
    return {
        **{name: value for name, value in found.items() if value},
        "alertname": alert.rule,
        "severity": alert.severity,
        "dedup_key": alert.dedup_key,
    }
