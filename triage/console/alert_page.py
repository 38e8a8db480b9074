"""`/alerts/{dedup_key}`: one alert, the page that messages to people link to. Plain HTML, nothing to run."""

from collections.abc import Callable
from html import escape
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from triage.clock import from_ms
from triage.console.charts import moment_ms, readable
from triage.console.wording import duration, number, percent, quantity
from triage.errors import TriageError
from triage.schemas.alert import Alert, Example, Share

_CSS = Path(__file__).with_name("console.css")


def alert_routes(find: Callable[[str], Alert | None]) -> APIRouter:
    """`find` blocks; it gives None for a key that is not in the index and raises a TriageError where it can't tell."""
    router = APIRouter()

    @router.get("/alerts/{dedup_key}")
    async def alert(dedup_key: str) -> HTMLResponse:
        """200, 404 for an alert that is not (yet) stored, 503 while Elasticsearch does not answer."""
        try:
            found = await run_in_threadpool(find, dedup_key)
        except TriageError as error:
            return HTMLResponse(_notice("Can’t read the alert", str(error)), status_code=503)
        if found is None:
            advice = f"There is no alert {dedup_key} in the index. One that fired just now may take a few seconds."
            return HTMLResponse(_notice("No such alert", advice), status_code=404)
        return HTMLResponse(render(found))

    return router


def render(alert: Alert) -> str:
    """The page of an alert."""
    start_ms = moment_ms(alert.started_at)
    state = "critical" if alert.status == "firing" else "resolved"
    window = duration(alert.window_s * 1000)
    facts = {
        "Since": _moment(start_ms),
        "Until": _moment(moment_ms(alert.ended_at)) if alert.ended_at else "",
        "Lasted": duration(moment_ms(alert.ended_at) - start_ms) if alert.ended_at else "",
        "At its peak": f"{number(alert.peak_negative)} negative in {window}",
        "Expected": "" if alert.expected is None else quantity(alert.expected),
        "Latest window": f"{number(alert.negative)} of {number(alert.total)} ({percent(alert.share)}) in {window}",
        "Rule": alert.rule,
        "Not paged": "" if alert.paged else alert.not_paged_because or "yes",
        "Updated": _moment(moment_ms(alert.updated_at)),
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return _document(
        alert.title,
        f'<div class="alert-head"><span class="pill {state}">{escape(alert.status)}</span>'
        f'<span class="pill outline">{escape(alert.severity)}</span></div>'
        f"<h2>{escape(alert.title)}</h2><p>{escape(alert.summary)}</p>{_links(alert)}"
        f'<dl class="facts">{rows}</dl>{_shares("Top intents", alert.top_intents, readable)}'
        f"{_shares('Most named', alert.top_entities, str)}{_examples(alert.examples)}",
    )


def _links(alert: Alert) -> str:
    links = [("What to do first", alert.runbook), ("Kibana", alert.kibana_url)]
    shown = [
        f'<a href="{escape(url)}" rel="noreferrer">{name}</a>'
        for name, url in links
        if url and url.startswith(("https://", "http://"))
    ]
    return f'<p class="links">{" · ".join(shown)}</p>' if shown else ""


def _shares(title: str, shares: list[Share], worded: Callable[[str], str]) -> str:
    items = "".join(f"<li>{escape(worded(share.value))} <b>{number(share.count)}</b></li>" for share in shares)
    return f'<h3>{title}</h3><ul class="shares">{items}</ul>' if items else ""


def _examples(examples: list[Example]) -> str:
    quotes = "".join(f"<blockquote>{escape(example.text)}</blockquote>" for example in examples)
    return f"<h3>What people write</h3>{quotes}" if quotes else ""


def _notice(title: str, text: str) -> str:
    return _document(title, f'<div class="empty"><strong>{title}</strong><p>{escape(text)}</p></div>')


def _document(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · triage</title><style>{_CSS.read_text('utf-8')}</style></head><body>"
        '<header class="top"><h1><a class="brand" href="../"><i aria-hidden="true"></i>triage</a></h1></header>'
        f'<main class="page"><section class="card whole one-alert">{content}</section></main></body></html>'
    )


def _moment(ms: int) -> str:
    return f"{from_ms(ms):%Y-%m-%d %H:%M} UTC"
