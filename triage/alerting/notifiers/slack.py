"""Notifier for Slack incoming webhooks, with messages in Block Kit."""

from typing import Any

import msgspec

from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.chat import ChatNotifier
from triage.alerting.notifiers.content import Content, cut
from triage.alerting.wording import Wording
from triage.runtime.rate_limiter import Rate

_ICONS = {
    "critical": ":rotating_light:",
    "error": ":red_circle:",
    "warning": ":warning:",
    "info": ":information_source:",
}
_EVENT_ICONS = {"resolved": ":white_check_mark:", "acknowledged": ":eyes:"}
_HEADER_CHARS = 150
_SECTION_CHARS = 2900  # Slack refuses a section above 3,000


class SlackNotifier(ChatNotifier):
    """Posts alerts to a Slack channel by its webhook. Slack accepts one message a second, and short bursts."""

    name = "slack"
    rate = Rate(burst=5, per_s=1.0)

    async def send(self, notification: Notification) -> None:
        await self._post.post(msgspec.json.encode(message(self.content(notification), self._wording)))


def message(content: Content, wording: Wording) -> dict[str, Any]:
    """Build the Slack message: `text` for notifications and screen readers, `blocks` for the channel."""
    icon = _EVENT_ICONS.get(content.event) or _ICONS.get(content.severity, ":warning:")
    header = {"type": "plain_text", "text": cut(f"{icon} {content.title}", _HEADER_CHARS), "emoji": True}
    blocks: list[dict[str, Any]] = [{"type": "header", "text": header}, _section(_escape(content.summary))]
    blocks += _details(content, wording)
    if content.actions:
        blocks.append({"type": "actions", "elements": [_button(*action) for action in content.actions]})
    if content.links:
        blocks.append(_section(" · ".join(f"<{_escape(url)}|{_escape(name)}>" for name, url in content.links)))
    context = cut(_escape(content.footer), _SECTION_CHARS)
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": context}]})
    return {"text": f"{icon} {_escape(content.title)}", "blocks": blocks}


def _details(content: Content, wording: Wording) -> list[dict[str, Any]]:
    sections = []
    if content.lines:
        # Block characters need a font of fixed width.
        sections.append("```" + "\n".join(f"{line}  {label}" for label, line in content.lines) + "```")
    if content.unusual:
        sections.append("\n".join(f"*{label}:* {_escape(', '.join(values))}" for label, values in content.unusual))
    if content.steps:
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(content.steps, 1))
        sections.append(f"*{wording.what_to_do_first}:*\n{_escape(steps)}")
    if content.examples:
        quotes = "\n".join(f"> {_escape(text)}" for text in content.examples)
        sections.append(f"*{_escape(content.examples_label)}:*\n{quotes}")
    if content.also:
        sections.append(f"*{wording.also}:*\n" + "\n".join(f"• {_escape(title)}" for title in content.also))
    if content.commands:
        sections.append("\n".join(f"{name}: `{_escape(command)}`" for name, command in content.commands))
    return [_section(text) for text in sections]


def _button(name: str, url: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": name}, "url": url}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, _SECTION_CHARS)}}


def _escape(text: str) -> str:
    """Escape the three characters with a meaning in Slack: no text can mention a channel or forge a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
