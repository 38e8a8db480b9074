"""Slack incoming webhook: what spiked, where, since when, how much, examples, and what to do."""

from typing import Any

import httpx
import msgspec

from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.http import JsonPost
from triage.schemas.alert import Alert, Share

_ICONS = {
    "critical": ":rotating_light:",
    "error": ":red_circle:",
    "warning": ":warning:",
    "info": ":information_source:",
}
_HEADER_CHARS = 150
_SECTION_CHARS = 2900  # Slack refuses a section above 3,000
_EXAMPLE_CHARS = 280


class SlackNotifier:
    name = "slack"

    def __init__(self, url: str, timeout_s: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._post = JsonPost(self.name, url, timeout_s, transport)

    async def send(self, notification: Notification) -> None:
        await self._post.post(msgspec.json.encode(message(notification)))

    async def close(self) -> None:
        await self._post.close()


def message(notification: Notification) -> dict[str, Any]:
    """The payload: `text` for notifications and screen readers, `blocks` for the channel."""
    alert = notification.alert
    icon = ":white_check_mark:" if notification.event == "resolved" else _ICONS.get(alert.severity, ":warning:")
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(alert.title, _HEADER_CHARS), "emoji": True}},
        _section(f"{icon} {_escape(alert.summary)}"),
    ]
    if notification.event == "firing":
        blocks += _evidence(alert)
    if links := _links(alert):
        blocks.append(_section(links))
    again = " · sent again, you may have seen it" if notification.resent else ""
    context = f"{alert.severity} · rule {alert.rule} · {_escape(alert.dedup_key)}{again}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(context, _SECTION_CHARS)}]})
    return {"text": f"{icon} {_escape(alert.title)}", "blocks": blocks}


def _evidence(alert: Alert) -> list[dict[str, Any]]:
    blocks = []
    tops = [
        f"*{name}:* {_shares(shares)}"
        for name, shares in (("Top intents", alert.top_intents), ("Most named", alert.top_entities))
        if shares
    ]
    if tops:
        blocks.append(_section("\n".join(tops)))
    if alert.examples:
        quotes = "\n".join(f"> {_escape(_cut(' '.join(e.text.split()), _EXAMPLE_CHARS))}" for e in alert.examples)
        blocks.append(_section(f"*What people write:*\n{quotes}"))
    return blocks


def _links(alert: Alert) -> str:
    links = [("What to do first", alert.runbook), ("Console", alert.console_url), ("Kibana", alert.kibana_url)]
    return " · ".join(f"<{_escape(url)}|{name}>" for name, url in links if url)


def _shares(shares: list[Share]) -> str:
    return ", ".join(f"{_escape(_cut(share.value, 60))} ({share.count})" for share in shares)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _SECTION_CHARS)}}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _escape(text: str) -> str:
    """The three characters that Slack gives a meaning: so no text can mention a channel or forge a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
