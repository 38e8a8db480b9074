"""`/guide`: items of the catalogue for a customer's words, with what reviews say. Plain HTML, reached from *Market*."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from triage.assist.guide.model import Advice, GuideRequest
from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import render
from triage.errors import TriageError

_MOST_CHARS = 2_000
_RESULTS = 5

Advise = Callable[[GuideRequest], Advice | None]
"""Advises after a turn; None without a guide. May block, and raise a TriageError."""


def guide_routes(advise: Advise) -> APIRouter:
    """Build the route of the page `/guide`; `advise` returns the advice for a request, None if no guide is set up."""
    router = APIRouter()

    @router.get("/guide")
    async def guide(request: Request, text: str = "") -> HTMLResponse:
        """Respond with the advice for `text` (200), or with the reason while there is none (503)."""
        context = PageContext.of(request)
        asked = GuideRequest(text=text[:_MOST_CHARS], language=context.translations.language, k=_RESULTS)
        try:
            advice = await asyncio.to_thread(advise, asked)
        except TriageError as error:
            return HTMLResponse(_notice(context, "guide.unreadable", str(error)), status_code=503)
        if advice is None:
            return HTMLResponse(_notice(context, "guide.no_words", context.translations("guide.no_words_advice")))
        return HTMLResponse(guide_page(asked.text, advice if asked.text.strip() else None, context))

    return router


def guide_page(text: str, advice: Advice | None, context: PageContext) -> str:
    """Render the console's page Guide as an HTML document for a customer's text and the advice on it, None without.

    If the advice asks a question, each answer is a link to the page with the answer appended to `text`.
    """

    def more(label: str) -> str:
        return f"{context.root}guide?{urlencode({'text': f'{text}; {label}'})}"

    content = render("guide/page.html", context.translations, text=text, advice=advice, more=more, root=context.root)
    return plain_page(context, "market", context.translations("guide.title"), content)


def _notice(context: PageContext, title: str, text: str) -> str:
    heading = context.translations(title)
    return plain_page(
        context, "market", heading, render("alerts/notice.html", context.translations, title=heading, text=text)
    )
