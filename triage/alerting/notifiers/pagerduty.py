"""Notifier for the PagerDuty Events API v2: trigger, acknowledge and resolve an incident by one dedup key."""

from typing import Any

import httpx
import msgspec

from triage.alerting.notifiers.base import Notification, Refused
from triage.alerting.notifiers.content import Content, compose, cut
from triage.alerting.notifiers.http import JsonPost
from triage.alerting.wording import Wording, wording_for
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.runtime.rate_limiter import Rate
from triage.schemas.alert import Alert

_ACTIONS = {"firing": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
_SEVERITIES = frozenset({"critical", "error", "warning", "info"})
# https://developer.pagerduty.com/docs/send-alert-event: limits of the fields.
_DEDUP_KEY_CHARS = 255
_SUMMARY_CHARS = 1024


class PagerDutyNotifier:
    """Sends pages to PagerDuty, one incident per page.

    PagerDuty adds a trigger with a known dedup key to the open incident, so a repeated page notifies nobody.
    """

    name = "pagerduty"
    rate = Rate(burst=20, per_s=2.0)
    acknowledges = True

    def __init__(
        self,
        url: str,
        routing_key: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
        wording: Wording | None = None,
    ) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport, setting="pagerduty_key")
        self._routing_key = routing_key
        self._wording = wording or wording_for("en")

    async def send(self, notification: Notification) -> None:
        """Post the event of a notification; PagerDuty answers 202 if it accepts it.

        Raises Refused for an unknown routing key, DependencyError for an invalid event (400), Throttled for 429,
        AccessDenied for 401 and 403, and Unavailable if a retry may succeed.
        """
        try:
            await self._post.post(msgspec.json.encode(event(notification, self._routing_key, self._wording)))
        except (Unavailable, AccessDenied, Refused):
            raise
        except DependencyError as error:
            if "routing_key" not in str(error):
                raise
            text = str(error).removeprefix(f"{self.name}: ")
            raise Refused(self.name, f"{text}; check alerting.pagerduty_key") from error

    async def close(self) -> None:
        await self._post.close()


def event(notification: Notification, routing_key: str, wording: Wording) -> dict[str, Any]:
    """Content of the request: a trigger with the page's details, or only its dedup key to acknowledge or resolve."""
    alert = notification.alert
    body: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": _ACTIONS[notification.event],
        "dedup_key": alert.dedup_key[:_DEDUP_KEY_CHARS],
    }
    if notification.event != "firing":
        return body
    content = compose(notification, wording)
    payload = {
        "summary": cut(content.title, _SUMMARY_CHARS),
        "source": alert.key or "all",
        "severity": alert.severity if alert.severity in _SEVERITIES else "warning",
        "timestamp": alert.started_at,
        "component": alert.dimensions.get("intent"),
        "group": alert.dimensions.get("brand"),
        "class": alert.rule,
        "custom_details": _details(alert, content, wording),
    }
    body["payload"] = {name: value for name, value in payload.items() if value is not None}
    body["client"] = "triage"
    if alert.console_url:
        body["client_url"] = alert.console_url
    # PagerDuty takes pictures only by public https addresses: the chart is in the details, in block characters.
    body["links"] = [{"href": url, "text": name} for name, url in content.links]
    return body


def _details(alert: Alert, content: Content, wording: Wording) -> dict[str, Any]:
    details: dict[str, Any] = {
        "summary": content.summary,
        "negative": alert.peak_negative,
        "total": alert.peak_total,
        "expected": alert.peak_expected,
        "window_s": alert.window_s,
        "dimensions": alert.dimensions,
        wording.chart: "\n".join(f"{line} {label}" for label, line in content.lines),
        **{label: list(values) for label, values in content.unusual},
        wording.what_to_do_first: list(content.steps),
        wording.examples: list(content.examples),
        wording.also: list(content.also),
        **dict(content.commands),
    }
    return {name: value for name, value in details.items() if value not in (None, "", [], {})}
