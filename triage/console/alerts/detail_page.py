"""`/alerts/{dedup_key}`: the page of one alert, to which notifications link, with its action forms. Plain HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool

from triage.alerting.alert_facts import facts_of, history_of
from triage.alerting.alert_text import summary_of, title_of
from triage.alerting.chart import svg
from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.content import compose, examples_label, intent_of
from triage.alerting.notifiers.text import plain
from triage.alerting.wording import Wording, wording_of
from triage.clock import parse_rfc3339
from triage.config import AlertingSettings
from triage.console.alerts.actions import COOKIE, FormTokens, action_forms, action_routes, name_of
from triage.console.alerts.fragments import wording_in
from triage.console.alerts.standing import standing_of
from triage.console.dependencies import Actions
from triage.console.filters import FIELDS, Filters
from triage.console.web.fragments import NOTHING
from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import TEMPLATES, render
from triage.errors import TriageError
from triage.schemas.action import Silence
from triage.schemas.alert import Alert, Share
from triage.schemas.counts import OTHER
from triage.translations import Translations
from triage.web.auth import user_of
from triage.web.cookies import set_cookie


@dataclass(frozen=True)
class Around:
    """Data that the page of an alert also shows: earlier alerts of the same key, and silences known at `now_ms`."""

    past: Sequence[Alert] = ()
    silences: Sequence[Silence] = ()
    now_ms: int = 0


@dataclass(frozen=True)
class Surroundings:
    """Reads what the page of an alert also shows: earlier alerts of its key, silences, and the time.

    `past(alert)` blocks, and raises a TriageError if it fails.
    """

    past: Callable[[Alert], Sequence[Alert]] = lambda _: ()
    silences: Callable[[], Sequence[Silence]] = lambda: ()
    now_ms: Callable[[], int] = lambda: 0

    def of(self, alert: Alert) -> Around:
        return Around(self.past(alert), self.silences(), self.now_ms())


def alert_routes(
    find: Callable[[str], Alert | None],
    actions: Actions | None = None,
    alerting: AlertingSettings | None = None,
    session_key: SecretStr | None = None,
    surroundings: Surroundings | None = None,
) -> APIRouter:
    """Build the routes of the page of one alert.

    `find(dedup_key)` blocks; it returns None for an alert that is not in the index, and raises a TriageError if the
    search fails. Without `actions` the page has no buttons. `alerting` has the language and time zone of the
    notifications, `session_key` signs form tokens, `surroundings` reads earlier alerts and silences.
    """
    surroundings = surroundings or Surroundings()
    alerting = alerting or AlertingSettings()
    router, tokens = APIRouter(), FormTokens(session_key)
    if actions is not None:
        router.include_router(action_routes(find, actions, tokens, _notice))

    @router.get("/alerts/{dedup_key}")
    async def alert(request: Request, dedup_key: str, done: str | None = None) -> HTMLResponse:
        """Respond with the page (200); 404 for an alert not (yet) stored, 503 if Elasticsearch does not answer."""
        context = PageContext.of(request)
        translations = context.translations
        try:
            stored = await run_in_threadpool(find, dedup_key)
            around = None if stored is None else await run_in_threadpool(surroundings.of, stored)
        except TriageError as error:
            return HTMLResponse(_notice(request, translations("alert.unreadable"), str(error)), status_code=503)
        if stored is None or around is None:
            advice = translations("alert.missing_advice", key=dedup_key)
            return HTMLResponse(_notice(request, translations("alert.missing"), advice), status_code=404)
        if actions is None or not user_of(request).may_act:
            return HTMLResponse(alert_page(stored, context, alerting, around=around))
        cookie = tokens.cookie(request)
        buttons = action_forms(stored, tokens.token(cookie), name_of(request), done, translations, context.root)
        page = HTMLResponse(alert_page(stored, context, alerting, buttons, around))
        page.headers["cache-control"] = "no-store"
        set_cookie(request, page, COOKIE, cookie)
        return page

    return router


def alert_page(
    alert: Alert,
    context: PageContext,
    alerting: AlertingSettings,
    buttons: Markup = NOTHING,
    around: Around | None = None,
) -> str:
    """Render the page of an alert as an HTML document; `buttons` are the forms of `action_forms`, if any."""
    around = around or Around()
    translations = context.translations
    wording = wording_in(translations, alerting.places)
    title, records = title_of(alert, wording), records_of(alert)
    content = render(
        "alerts/detail.html",
        translations,
        alert=alert,
        title=title,
        summary=summary_of(alert, wording),
        root=context.root,
        wording=wording,
        page_language=alerting.language,
        buttons=buttons,
        timing=_timing(alert, wording),
        standing=standing_of(alert, around.silences, around.now_ms or parse_rfc3339(alert.updated_at)),
        history=history_of(alert, translations),
        past=[
            (quote(one.dedup_key, safe=""), translations.moment(parse_rfc3339(one.started_at)), title_of(one, wording))
            for one in around.past
        ],
        examples_label=examples_label(alert, wording),
        chart_step=translations.exact_duration(alert.chart.step_s * 1000) if alert.chart else "",
        state=_state(alert, translations),
        records=context.root + records.address("explore"),
        compared=context.root + records.address("explore", compare="1"),
        articles=f"{context.root}knowledge?intent={quote(intent, safe='')}" if (intent := intent_of(alert)) else "",
        rule_page=f"{context.root}rules/{quote(alert.rule, safe='')}",
        links=_links(alert, translations),
        facts=facts_of(alert, translations),
        chart=_chart(alert, translations),
        zone=translations.zone_name(parse_rfc3339(alert.started_at)),
        standouts=_standouts(alert, wording),
        first_steps=wording.first_steps(intent_of(alert)) if alert.status != "resolved" else (),
        as_sent=_as_sent(alert, alerting) if alert.paged or alert.page else None,
    )
    return plain_page(context, "alerts", title, content)


def _timing(alert: Alert, wording: Wording) -> str:
    """A sentence on the delay of the first notification; empty if nobody was notified."""
    if alert.told_at is None:
        return ""
    over_ms = None if alert.ended_at is None else parse_rfc3339(alert.ended_at)
    return wording.told(parse_rfc3339(alert.started_at), parse_rfc3339(alert.told_at), over_ms)


def _chart(alert: Alert, translations: Translations) -> Markup | None:
    if alert.chart is None:
        return None
    lasted = parse_rfc3339(alert.started_at), parse_rfc3339(alert.ended_at or alert.updated_at)
    return svg(alert.chart, translations("alert.chart"), translations.tzinfo, lasted)


def records_of(alert: Alert) -> Filters:
    """Return filters for an alert's negative records, from a window before its start until just after its end."""
    start_ms = parse_rfc3339(alert.started_at) - alert.window_s * 1000
    end_ms = parse_rfc3339(alert.ended_at or alert.updated_at) + 60_000
    values = {name: (value,) for name, value in alert.dimensions.items() if name in FIELDS and value != OTHER}
    return Filters(start=start_ms, end=end_ms, values={**values, "sentiment": ("negative",)})


def _state(alert: Alert, translations: Translations) -> str:
    """The displayed state of an alert: resolved, or for a firing one its state, such as `ongoing` or `recovering`."""
    state = "flapping" if alert.flapping and alert.status == "firing" else alert.state
    return translations.term("status", alert.status if alert.status == "resolved" or state == "firing" else state)


def _links(alert: Alert, translations: Translations) -> list[tuple[str, str]]:
    """The links to the runbook and to Kibana as (title, URL), without missing ones and those that are not http(s)."""
    named = ((translations("alert.runbook"), alert.runbook), ("Kibana", alert.kibana_url))
    return [(name, url) for name, url in named if url and url.startswith(("https://", "http://"))]


def _standouts(alert: Alert, text: Wording) -> list[tuple[str, list[tuple[str, Share]]]]:
    """Intents, entities and words of an alert's records, as (title, [(name, share)]).

    The title says "unusual" where the expected number is known for some of them, else "frequent".
    """
    parts: Sequence[tuple[str, str, list[Share], Callable[[str], str]]] = (
        (text.unusual_intents, text.top_intents, alert.top_intents, text.intent),
        (text.unusual_entities, text.top_entities, alert.top_entities, text.named),
        (text.unusual_words, text.unusual_words, alert.top_words, str),
    )
    return [
        (
            frequent if all(share.expected is None for share in shares) else unusual,
            [(name(share.value), share) for share in shares],
        )
        for unusual, frequent, shares, name in parts
        if shares
    ]


def _as_sent(alert: Alert, alerting: AlertingSettings) -> str:
    """The notification as plain text, in the language and zone in which receivers got it."""
    text = wording_of(alerting)
    return plain(compose(Notification("firing" if alert.status == "firing" else "resolved", alert), text), text)


def _notice(request: Request, title: str, text: str) -> str:
    content = TEMPLATES.render("alerts/notice.html", title=title, text=text)
    return plain_page(PageContext.of(request), "alerts", title, content)
