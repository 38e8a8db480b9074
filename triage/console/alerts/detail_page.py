"""`/alerts/{dedup_key}`: one alert, the page that messages to people link to, and what can be done. Plain HTML."""

from collections.abc import Callable
from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool

from triage.alerting.chart import svg
from triage.alerting.notifiers.base import Notification
from triage.alerting.notifiers.content import compose, intent_of
from triage.alerting.notifiers.text import plain
from triage.alerting.wording import wording
from triage.clock import parse_rfc3339
from triage.console.alerts.actions import COOKIE, FormTokens, action_routes, forms, name_of
from triage.console.dependencies import Actions
from triage.console.filters import FIELDS, Filters
from triage.console.translations import Translations
from triage.console.web.layout import Visit, plain_page
from triage.errors import TriageError
from triage.schemas.alert import Acknowledgement, Alert, Example, Share
from triage.schemas.counts import OTHER
from triage.web.auth import user_of


def alert_routes(
    find: Callable[[str], Alert | None],
    actions: Actions | None = None,
    page_language: str = "en",
    session_key: SecretStr | None = None,
) -> APIRouter:
    """`find` blocks; it gives None for a key that is not in the index and raises a TriageError where it can't tell.

    Without `actions` there is nothing to press. `page_language` is that of the pages that were sent.
    """
    router, tokens = APIRouter(), FormTokens(session_key)
    if actions is not None:
        router.include_router(action_routes(find, actions, tokens, _notice))

    @router.get("/alerts/{dedup_key}")
    async def alert(request: Request, dedup_key: str, done: str | None = None) -> HTMLResponse:
        """200, 404 for an alert that is not (yet) stored, 503 while Elasticsearch does not answer."""
        visit = Visit.of(request)
        words = visit.words
        try:
            found = await run_in_threadpool(find, dedup_key)
        except TriageError as error:
            return HTMLResponse(_notice(request, words("alert.unreadable"), str(error)), status_code=503)
        if found is None:
            advice = words("alert.missing_advice", key=dedup_key)
            return HTMLResponse(_notice(request, words("alert.missing"), advice), status_code=404)
        if actions is None or not user_of(request).may_act:
            return HTMLResponse(render(found, visit, page_language))
        cookie = tokens.cookie(request)
        buttons = forms(found, tokens.token(cookie), name_of(request), done, words)
        page = HTMLResponse(render(found, visit, page_language, buttons))
        page.headers["cache-control"] = "no-store"
        page.set_cookie(
            COOKIE, cookie, path="/alerts", httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return page

    return router


def render(alert: Alert, visit: Visit, page_language: str = "en", buttons: str = "") -> str:
    """The page of an alert; `buttons` is HTML."""
    words = visit.words
    start_ms = parse_rfc3339(alert.started_at)
    state = "critical" if alert.status == "firing" else "resolved"
    window = words.duration(alert.window_s * 1000)
    latest = words(
        "alert.latest", n=words.number(alert.negative), total=words.number(alert.total),
        share=words.percent(alert.share), window=window,
    )  # fmt: skip
    facts = {
        "since": words.moment(start_ms),
        "until": words.moment(parse_rfc3339(alert.ended_at)) if alert.ended_at else "",
        "lasted": words.duration(parse_rfc3339(alert.ended_at) - start_ms) if alert.ended_at else "",
        "peak": words("alert.peak", n=words.number(alert.peak_negative), window=window)
        + _expected(alert.peak_expected, words),
        "latest": latest + _expected(alert.expected, words),
        "rule": alert.rule,
        "fired_by": ", ".join(alert.causes),
        "acknowledged": _who(alert.acknowledged, words),
        "snoozed": _snoozed(alert, words),
        "late": words("alert.late", n=words.number(alert.late_records)) if alert.late_records else "",
        "paged_with": alert.page if alert.page not in {None, alert.dedup_key} else "",
        "not_paged": "" if alert.paged else alert.not_paged_because or words("alert.yes"),
        "updated": words.moment(parse_rfc3339(alert.updated_at)),
    }
    rows = "".join(
        f"<dt>{words(f'fact.{name}')}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    severity = words.term("alert_severity", alert.severity)
    content = (
        f'<div class="alert-head"><span class="pill {state}">{escape(_state(alert, words))}</span>'
        f'<span class="pill outline">{escape(severity)}</span></div>'
        f"<h1>{escape(alert.title)}</h1><p>{escape(alert.summary)}</p>{_links(alert, visit)}{buttons}"
        f'<dl class="facts">{rows}</dl>{_chart(alert, words)}{_standing_out(alert, words)}'
        f"{_first_steps(alert, words)}{_examples(alert.examples, visit)}{_as_sent(alert, page_language, words)}"
    )
    return plain_page(visit, "alerts", alert.title, f'<section class="card whole one-alert">{content}</section>')


def _expected(negatives: float | None, words: Translations) -> str:
    return "" if negatives is None else words("alert.expected", n=words.quantity(negatives))


def records_behind(alert: Alert) -> Filters:
    """The view of *Explore* with the alert's negative records, from a window before its start until its end."""
    start_ms = parse_rfc3339(alert.started_at) - alert.window_s * 1000
    end_ms = parse_rfc3339(alert.ended_at or alert.updated_at) + 60_000
    values = {name: (value,) for name, value in alert.dimensions.items() if name in FIELDS and value != OTHER}
    return Filters(start=start_ms, end=end_ms, values={**values, "sentiment": ("negative",)})


def _chart(alert: Alert, words: Translations) -> str:
    if alert.chart is None:
        return ""
    return f'<figure class="spark">{svg(alert.chart, words("alert.chart"))}</figure>'


def _state(alert: Alert, words: Translations) -> str:
    """`recovering` and `ongoing` are both firing to who only wants to know whether it is over."""
    state = "flapping" if alert.flapping and alert.status == "firing" else alert.state
    return words.term("status", alert.status if alert.status == "resolved" or state == "firing" else state)


def _snoozed(alert: Alert, words: Translations) -> str:
    if not alert.snoozed_until:
        return ""
    who = _who(alert.snoozed, words)
    return words("alert.snoozed_until", who=who, when=words.moment(parse_rfc3339(alert.snoozed_until)))


def _who(acknowledgement: Acknowledgement | None, words: Translations) -> str:
    if acknowledgement is None:
        return ""
    when = words.moment(parse_rfc3339(acknowledgement.at))
    said = words("alert.by", by=acknowledgement.by, when=when)
    return f"{said}: {acknowledgement.comment}" if acknowledgement.comment else said


def _links(alert: Alert, visit: Visit) -> str:
    words = visit.words
    ours = f'<a href="{escape(visit.root + records_behind(alert).address("explore"))}">{words("alert.records")}</a>'
    compared = records_behind(alert).address("explore", compare="1")
    ours += f' · <a href="{escape(visit.root + compared)}">{words("alert.compared")}</a>'
    others = [
        f'<a href="{escape(url)}" rel="noreferrer">{name}</a>'
        for name, url in ((words("alert.runbook"), alert.runbook), ("Kibana", alert.kibana_url))
        if url and url.startswith(("https://", "http://"))
    ]
    return f'<p class="links">{" · ".join([ours, *others])}</p>'


def _standing_out(alert: Alert, words: Translations) -> str:
    said = wording(words.language)
    parts = (
        (said.unusual_intents, said.top_intents, alert.top_intents, said.intent),
        (said.unusual_entities, said.top_entities, alert.top_entities, str),
        (said.unusual_words, said.unusual_words, alert.top_words, str),
    )
    return "".join(_shares(unusual, top, shares, say, words) for unusual, top, shares, say in parts)


def _shares(unusual: str, frequent: str, shares: list[Share], worded: Callable[[str], str], words: Translations) -> str:
    items = "".join(
        f"<li>{escape(worded(share.value))} <b>{words.number(share.count)}</b>"
        f"{'' if share.expected is None else ' ' + words('compare.usually', n=words.quantity(share.expected))}</li>"
        for share in shares
    )
    title = frequent if all(share.expected is None for share in shares) else unusual
    return f'<h3>{title}</h3><ul class="shares">{items}</ul>' if items else ""


def _first_steps(alert: Alert, words: Translations) -> str:
    if alert.status == "resolved":
        return ""
    said = wording(words.language)
    items = "".join(f"<li>{escape(step)}</li>" for step in said.first_steps(intent_of(alert)))
    return f"<h3>{said.what_to_do_first}</h3><ol>{items}</ol>"


def _examples(examples: list[Example], visit: Visit) -> str:
    quotes = "".join(
        f'<blockquote>{escape(example.text)} <a href="{visit.root}records/{escape(example.id)}">'
        f"{visit.words('alert.open_record')}</a></blockquote>"
        for example in examples
    )
    return f"<h3>{visit.words('alert.examples')}</h3>{quotes}" if quotes else ""


def _as_sent(alert: Alert, language: str, words: Translations) -> str:
    """The page in the words in which receivers got it; chats and e-mail lay the same out in their own way."""
    if not alert.paged:
        return ""
    said = wording(language)
    text = plain(compose(Notification("firing" if alert.status == "firing" else "resolved", alert), said), said)
    return (
        f"<details class='as-sent'><summary>{words('alert.as_sent')}</summary>"
        f'<p class="caption below">{words("alert.as_sent_note")}</p>'
        f'<pre lang="{language}">{escape(text)}</pre></details>'
    )


def _notice(request: Request, title: str, text: str) -> str:
    content = (
        f'<section class="card whole"><div class="empty"><h1>{escape(title)}</h1><p>{escape(text)}</p></div></section>'
    )
    return plain_page(Visit.of(request), "alerts", title, content)
