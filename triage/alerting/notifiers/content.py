"""Content of a notification, the same for all receivers; each notifier only formats it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from triage.alerting.alert_text import summary_of, title_of
from triage.alerting.chart import blocks
from triage.alerting.links import ActionLink
from triage.alerting.notifiers.base import Notification
from triage.alerting.wording import Wording
from triage.bidi import isolated
from triage.clock import parse_rfc3339
from triage.schemas.alert import Alert, Chart, Event, Share

_EXAMPLE_CHARS = 280
_VALUE_CHARS = 60
_ALSO = 10
_SILENCE_FOR = "2h"
# Events of which a message names the other alerts of its page.
_WHOLE_PAGE = frozenset({"firing", "resolved"})


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a notification, the most useful first; a part without content is empty.

    `lines` are (label, row of the chart in block characters); `unusual` are (label, values that stand out); `actions`
    and `links` are (name, URL); `commands` are (name, command). `examples_label` names the window of the examples. An
    acknowledgement, a note and a resolve have only title, summary, links and footer.
    """

    event: Event
    severity: str
    title: str
    summary: str
    footer: str
    lines: tuple[tuple[str, str], ...] = ()
    unusual: tuple[tuple[str, tuple[str, ...]], ...] = ()
    steps: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    examples_label: str = ""
    also: tuple[str, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    chart: Chart | None = None


def compose(notification: Notification, wording: Wording, links: Sequence[ActionLink] = ()) -> Content:
    """Collect the content of a notification in the language of `wording`.

    `links` are the signed links that a reader can act by.
    """
    alert, event = notification.alert, notification.event
    firing = event == "firing"
    footer = [wording.severities.get(alert.severity, alert.severity), alert.rule, alert.dedup_key]
    if notification.resent:
        footer.append(wording.sent_again)
    return Content(
        event=event,
        severity=alert.severity,
        title=_title(notification, wording),
        summary=_summary(notification, wording),
        footer=" · ".join(footer),
        lines=_lines(alert, wording) if firing else (),
        unusual=_unusual(alert, wording) if firing else (),
        steps=wording.first_steps(intent_of(alert)) if firing else (),
        examples=tuple(cut(" ".join(one.text.split()), _EXAMPLE_CHARS) for one in alert.examples) if firing else (),
        examples_label=examples_label(alert, wording),
        also=tuple(title_of(other, wording) for other in notification.also[:_ALSO]) if event in _WHOLE_PAGE else (),
        actions=tuple((wording.link(link.action), link.url) for link in links) if firing else (),
        links=_links(alert, wording),
        commands=_commands(alert, wording) if firing else (),
        chart=alert.chart if firing else None,
    )


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def cut_bytes(text: str, size: int) -> str:
    """Shorten a text to at most `size` bytes of UTF-8, cut between characters and with an ellipsis."""
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[: size - 3].decode(errors="ignore") + "…"


def _title(notification: Notification, wording: Wording) -> str:
    alert = notification.alert
    title = title_of(alert, wording) + (wording.more(len(notification.also)) if notification.also else "")
    if notification.event == "note" and alert.history:
        return wording.note(title, alert.history[-1])
    if notification.event == "acknowledged":
        who = alert.acknowledged or alert.snoozed
        return wording.acknowledged(title, who.by if who else "?")
    if notification.repeat and notification.event == "firing":
        return wording.still_firing(title, max(0, _ms(alert.updated_at) - _ms(alert.started_at)) // 60_000 * 60_000)
    return title


def _summary(notification: Notification, wording: Wording) -> str:
    """The alert's summary, after what somebody said in a note, and before how late the first notification is."""
    alert, parts = notification.alert, [summary_of(notification.alert, wording)]
    last = alert.history[-1] if alert.history else None
    if notification.event in {"note", "acknowledged"} and last is not None and last.comment:
        parts.insert(0, wording.said(last.by, last.comment))
    late = notification.event == "firing" and (not notification.repeat or notification.over_since is not None)
    if late and notification.told_ms is not None:
        over_ms = None if notification.over_since is None else _ms(notification.over_since)
        parts.append(wording.told(_ms(alert.started_at), notification.told_ms, over_ms))
    return wording.joined(parts)


def examples_label(alert: Alert, wording: Wording) -> str:
    """The label of the examples, with the window that they come from, if known."""
    if alert.examples_end is None:
        return wording.examples
    end_ms = _ms(alert.examples_end)
    return wording.examples_of(end_ms - alert.window_s * 1000, end_ms)


def _lines(alert: Alert, wording: Wording) -> tuple[tuple[str, str], ...]:
    if alert.chart is None or not alert.chart.observed:
        return ()
    drawn = blocks(alert.chart)
    seen = (wording.span(len(drawn.observed) * drawn.step_s * 1000), drawn.observed)
    return (seen,) if drawn.expected is None else (seen, (wording.expected, drawn.expected))


def _unusual(alert: Alert, wording: Wording) -> tuple[tuple[str, tuple[str, ...]], ...]:
    rows = []
    for shares, unusual, frequent in (
        (alert.top_intents, wording.unusual_intents, wording.top_intents),
        (alert.top_entities, wording.unusual_entities, wording.top_entities),
        (alert.top_words, wording.unusual_words, wording.unusual_words),
    ):
        if not shares:
            continue
        label = frequent if all(share.expected is None for share in shares) else unusual
        kind = "intent" if shares is alert.top_intents else "entity" if shares is alert.top_entities else "word"
        rows.append((label, tuple(_share(share, wording, kind) for share in shares)))
    return tuple(rows)


def _share(share: Share, wording: Wording, kind: str) -> str:
    if kind == "intent":
        return wording.share(wording.intent(share.value), share.count, share.expected)
    value = isolated(cut(wording.named(share.value) if kind == "entity" else share.value, _VALUE_CHARS))
    return wording.share(value, share.count, share.expected)


def intent_of(alert: Alert) -> str | None:
    """The intent that the page is about: its dimension `intent`, else the one that stands out most; None if unknown."""
    own = alert.dimensions.get("intent")
    if own is not None:
        return own
    return next((share.value for share in alert.top_intents if share.expected is not None), None)


def _links(alert: Alert, wording: Wording) -> tuple[tuple[str, str], ...]:
    named = ((wording.runbook, alert.runbook), (wording.console, alert.console_url), (wording.kibana, alert.kibana_url))
    return tuple((name, url) for name, url in named if url)


def _commands(alert: Alert, wording: Wording) -> tuple[tuple[str, str], ...]:
    matched = sorted(alert.dimensions.items()) or [("rule", alert.rule)]
    matchers = " ".join(f"--match {shlex.quote(f'{name}={value}')}" for name, value in matched)
    return (
        (wording.acknowledge, f"triage alerts ack {alert.dedup_key}"),
        (wording.silence, f"triage alerts silence add {matchers} --for {_SILENCE_FOR}"),
    )


def _ms(moment: str) -> int:
    return parse_rfc3339(moment)
