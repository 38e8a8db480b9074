"""`/market`: brands with share of voice, products by aspect, rivals named in negative records. Plain HTML."""

import asyncio
from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from triage.assist.market.report import LostTo, MarketReport, Opinion
from triage.clock import parse_rfc3339
from triage.console.filters import Filters
from triage.console.market.topic_rule import draft_rule
from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import render
from triage.errors import TriageError
from triage.schemas.topic import TopicReport
from triage.translations import Translations

ReadMarket = Callable[[], MarketReport | None]
"""Reads the report; None without a file of names. Blocks; raises a TriageError."""


ReadTopics = Callable[[], TopicReport | None]
"""Reads the latest run of `triage market topics`; None if there was none. Blocks; raises a TriageError."""


def market_routes(
    read: ReadMarket, read_topics: ReadTopics = lambda: None, dimensions: Sequence[Sequence[str]] = ()
) -> APIRouter:
    """Build the routes of the page *Market*, and of drafts of alert rules for emerging topics.

    `read` returns the report, `read_topics` the emerging topics; None if there are none. `dimensions` are the
    combinations of fields that alert rules count.
    """
    router = APIRouter()

    @router.get("/market")
    async def market(request: Request) -> HTMLResponse:
        """Respond with the report (200), or with the reason while it cannot be read (503)."""
        context = PageContext.of(request)
        try:
            report = await asyncio.to_thread(read)
            topics = None if report is None else await asyncio.to_thread(read_topics)
        except TriageError as error:
            return HTMLResponse(_notice(context, "market.unreadable", str(error)), status_code=503)
        if report is None:
            return HTMLResponse(_notice(context, "market.no_file", context.translations("market.no_file_advice")))
        return HTMLResponse(market_page(report, context, topics))

    @router.get("/market/topics/{number}/rule")
    async def topic_rule(request: Request, number: int) -> HTMLResponse:
        """Respond with a drafted alert rule for the topic of this number (200), else 404, or 503 if unreadable."""
        context = PageContext.of(request)
        try:
            found = await asyncio.to_thread(read_topics)
        except TriageError as error:
            return HTMLResponse(_notice(context, "market.unreadable", str(error)), status_code=503)
        if found is None or not 1 <= number <= len(found.topics):
            text = context.translations("market.no_topic_advice")
            return HTMLResponse(_notice(context, "market.no_topics", text), status_code=404)
        rule = draft_rule(found.topics[number - 1], number, dimensions)
        return HTMLResponse(topic_rule_page(rule, context))

    return router


def market_page(report: MarketReport, context: PageContext, topics: TopicReport | None = None) -> str:
    """Render the page *Market* as an HTML document, with the emerging topics if there are any."""
    content = render(
        "market/page.html",
        context.translations,
        report=report,
        explore=lambda **values: context.root + _explore(report, **values),
        net=lambda opinion: net(opinion, context.translations),
        lost=lambda each: context.root + _lost(report, each),
        tone=tone,
        root=context.root,
    )
    content += render(
        "market/topics.html",
        context.translations,
        report=topics,
        start=context.translations.moment(parse_rfc3339(topics.start)) if topics else "",
        end=context.translations.moment(parse_rfc3339(topics.end)) if topics else "",
        root=context.root,
    )
    return plain_page(context, "market", context.translations("nav.market"), content)


def topic_rule_page(rule: str | None, context: PageContext) -> str:
    """Render the page with `rule`, a drafted alert rule as YAML or why there is none (None), as HTML."""
    content = render("market/rule.html", context.translations, rule=rule, root=context.root)
    return plain_page(context, "market", context.translations("market.topic_rule_title"), content)


def net(opinion: Opinion | None, translations: Translations) -> str:
    """Return net sentiment in points with its 95 % interval, such as `-56 (-87 to +9)`; "" without records."""
    if opinion is None or opinion.net is None:
        return ""
    low, high = opinion.interval
    return translations("market.net", net=_points(opinion.net), low=_points(low), high=_points(high))


def tone(opinion: Opinion | None) -> str:
    """Return the CSS class of a cell: `negative` or `positive` if the interval of `net` excludes zero, else ""."""
    if opinion is None or not opinion.n:
        return ""
    low, high = opinion.interval
    return "negative" if high < 0 else "positive" if low > 0 else ""


def _points(share: float) -> str:
    points = round(100 * share)
    return f"{points:+d}".replace("-", "−") if points else "0"


def _explore(report: MarketReport, **values: Sequence[str]) -> str:
    """Address of Explore, for records with these values in the time of the report."""
    chosen = {name: tuple(some) for name, some in values.items() if some}
    return Filters(start=report.start_ms, end=report.end_ms, values=chosen).address("explore")


def _lost(report: MarketReport, each: LostTo) -> str:
    own, rival = ((brand.name, *brand.also) for brand in (each.brand, each.competitor))
    return _explore(report, brand=own, entity=rival, sentiment=("negative",))


def _notice(context: PageContext, title: str, text: str) -> str:
    heading = context.translations(title)
    return plain_page(
        context, "market", heading, render("alerts/notice.html", context.translations, title=heading, text=text)
    )
