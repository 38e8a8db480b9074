"""Notifier for Microsoft Teams: an Adaptive Card to the webhook of a workflow (Power Automate)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.chat import ChatNotifier
from triage.alerting.notifiers.content import Content, cut
from triage.alerting.wording import Wording
from triage.runtime.rate_limiter import Rate

_STYLES = {"critical": "attention", "error": "attention", "warning": "warning", "info": "accent"}
_EVENT_STYLES = {"resolved": "good", "acknowledged": "emphasis"}
_TITLE_CHARS = 300
_SUMMARY_CHARS = 2000
_LIMIT_BYTES = 27_000  # Teams refuses a message above 28 KB

Element = dict[str, Any]


class TeamsNotifier(ChatNotifier):
    """Posts alerts to Microsoft Teams. Teams accepts four messages a second for each webhook.

    The workflow answers 202 before it posts the card: only its run history shows whether that succeeded.
    """

    name = "teams"
    rate = Rate(burst=4, per_s=1.0)

    async def send(self, notification: Notification) -> None:
        await self._post.post(encoded(self.content(notification), self._wording))


def encoded(content: Content, wording: Wording) -> bytes:
    """Encode the message as JSON of at most 27,000 bytes.

    To fit, whole sections are left out, the least useful first.
    """
    sections = _sections(content, wording)
    while True:
        body = msgspec.json.encode(_message(content, [element for _, section in sections for element in section]))
        if len(body) <= _LIMIT_BYTES or not sections:
            return body
        sections.remove(max(sections, key=lambda section: section[0]))


def _message(content: Content, details: list[Element]) -> dict[str, Any]:
    style = _EVENT_STYLES.get(content.event) or _STYLES.get(content.severity, "warning")
    title = cut(content.title, _TITLE_CHARS)
    head = [_text(_run(title, weight="Bolder", size="Large")), _text(_run(cut(content.summary, _SUMMARY_CHARS)))]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": title,
        "msteams": {"width": "Full"},
        "body": [
            {"type": "Container", "style": style, "bleed": True, "items": head},
            *details,
            *([_buttons(content.actions)] if content.actions else []),
            _text(_run(content.footer, size="Small", isSubtle=True)),
        ],
        "actions": _buttons(content.links)["actions"],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _buttons(links: Iterable[tuple[str, str]]) -> Element:
    # A card shows six buttons of its own; more are in sets of their own.
    return {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": t, "url": url} for t, url in links]}


def _sections(content: Content, wording: Wording) -> list[tuple[int, list[Element]]]:
    """Parts between head and footer in the order of the card, each with its rank: the highest gives way first."""
    rows = [_text(_run(f"{line}  {label}", fontType="Monospace")) for label, line in content.lines]
    unusual = [_text(_run(f"{label}: ", weight="Bolder"), _run(", ".join(found))) for label, found in content.unusual]
    steps = [f"{number}. {step}" for number, step in enumerate(content.steps, 1)]
    commands = [
        _text(_run(f"{name}: "), _run(line, fontType="Monospace", size="Small")) for name, line in content.commands
    ]
    sections = [
        (1, rows),
        (3, unusual),
        (2, _listed(wording.what_to_do_first, steps)),
        (5, _listed(content.examples_label, content.examples, italic=True)),
        (6, _listed(wording.also, content.also)),
        (4, commands),
    ]
    return [(rank, elements) for rank, elements in sections if elements]


def _listed(label: str, values: Iterable[str], **look: Any) -> list[Element]:
    lines = [_text(_run(value, **look), spacing="Small") for value in values]
    return [_text(_run(f"{label}:", weight="Bolder")), *lines] if lines else []


def _text(*runs: Element, **look: Any) -> Element:
    # Runs show their text as it is. A TextBlock would read Markdown: a customer's text could make a link.
    return {"type": "RichTextBlock", "inlines": list(runs), **look}


def _run(text: str, **look: Any) -> Element:
    return {"type": "TextRun", "text": text, **look}
