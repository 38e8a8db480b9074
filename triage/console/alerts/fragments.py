"""Renders alerts and silences as HTML, for the pages *Alerts* and *Now*."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from triage.alerting.alert_facts import facts_of
from triage.alerting.alert_text import title_of
from triage.alerting.lifecycle.silences import format_matchers
from triage.alerting.wording import Wording, wording_for
from triage.clock import parse_rfc3339
from triage.console.alerts.standing import Standing, standing_of
from triage.console.web.fragments import empty
from triage.console.web.highlighting import cut
from triage.console.web.templates import render
from triage.schemas.action import Silence
from triage.schemas.alert import Alert
from triage.translations import Translations

_EXAMPLE_CHARS = 160


@dataclass(frozen=True)
class _Card:
    alert: Alert
    title: str
    standing: Standing
    notes: tuple[str, ...]
    key: str
    rule: str
    since: str
    observed: Markup
    example: str


def alert_cards(
    alerts: Sequence[Alert], now_ms: int, translations: Translations, silences: Sequence[Silence] = ()
) -> Markup:
    """Render alerts as cards, in the given order; without alerts, a hint on how to test alerting.

    An alert that is acknowledged, snoozed or matched by one of the `silences` is shown as needing no attention.
    """
    if not alerts:
        return empty(translations("now.no_alerts"), translations.html("now.no_alerts_advice"))
    cards = [
        _Card(
            alert,
            title_of(alert, wording_in(translations)),
            standing=standing_of(alert, silences, now_ms),
            notes=_notes(alert, translations),
            key=quote(alert.dedup_key, safe=""),
            rule=quote(alert.rule, safe=""),
            since=_since(alert, now_ms, translations),
            observed=_observed(alert, translations),
            example=cut(alert.examples[0].text, _EXAMPLE_CHARS) if alert.examples else "",
        )
        for alert in alerts
    ]
    return render("alerts/cards.html", translations, cards=cards)


def wording_in(translations: Translations, places: Path | None = None) -> Wording:
    """Return texts about alerts in the reader's language and time zone; `places` is a file of place names."""
    return wording_for(translations.language, translations.zone, places)


def rules_link(root: str, translations: Translations) -> Markup:
    """Render the link to the pages of alert rules; `root` is the relative URL of the console's start page."""
    return render("alerts/rules_link.html", translations, root=root)


def silence_html(silence: Silence, translations: Translations) -> Markup:
    """Render a silence: its matchers, end, author and comment."""
    return render("alerts/silence.html", translations, silence=silence, matchers=format_matchers(silence.matchers))


def _notes(alert: Alert, translations: Translations) -> tuple[str, ...]:
    """Acknowledgement, assignment and snooze of an alert that fires, as lines of text."""
    if alert.status == "resolved":
        return ()
    facts = facts_of(alert, translations)
    names = [name for name in ("acknowledged", "assigned", "snoozed") if facts[name]]
    return tuple(f"{translations(f'fact.{name}')} {facts[name]}" for name in names)


def _since(alert: Alert, now_ms: int, translations: Translations) -> str:
    start_ms = parse_rfc3339(alert.started_at)
    end_ms = parse_rfc3339(alert.ended_at) if alert.ended_at else now_ms
    name = "alert.for" if alert.status == "firing" else "alert.lasted"
    lasted = translations(name, duration=translations.duration(end_ms - start_ms))
    return translations("alert.since", when=translations.when_and_utc(start_ms, now_ms), lasted=lasted)


def _observed(alert: Alert, translations: Translations) -> Markup:
    negative = Markup("<b>{}</b>").format(translations.number(alert.peak_negative))
    window = translations.duration(alert.window_s * 1000)
    observed = translations.html("alert.at_peak", n=negative, window=window)
    if alert.peak_expected is not None:
        observed += translations("alert.expected", n=translations.quantity(alert.peak_expected))
    if alert.status == "firing":
        observed += translations("alert.now", n=alert.negative, total=alert.total)
    return observed
