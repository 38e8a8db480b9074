"""*Knowledge*: the articles, which of them nobody used or are out of date, and what was asked and not found."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import Request

from triage.clock import from_ms
from triage.console.data.evidence import KnowledgeState
from triage.console.dependencies import Dependencies
from triage.console.knowledge import fragments
from triage.console.web.elements import Html, section
from triage.console.web.fragments import banner, empty
from triage.console.web.layout import page_layout
from triage.elastic.completeness import noting
from triage.errors import TriageError


def knowledge_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, intent: str | None = None) -> None:
        state: KnowledgeState | None = None
        error = None
        if dependencies.evidence is not None:
            with noting():
                try:
                    state = await asyncio.to_thread(dependencies.evidence.state, intent)
                except TriageError as problem:
                    error = str(problem)
        with page_layout(request, "knowledge") as context:
            translations = context.translations
            Html(banner(error, translations, known=False)).classes("whole")
            if state is None:
                return
            today = from_ms(dependencies.clock.now_ms()).date()
            if intent is not None:
                with section(
                    "passages", translations("knowledge.of_intent", intent=translations.intent(intent)), "whole"
                ):
                    Html(fragments.passages_html(state.passages, translations))
            with section("missing", translations("knowledge.missing"), "whole"):
                Html(fragments.unanswered_html(state.unanswered, context.root, translations))
            with section("articles", translations("knowledge.articles"), "whole"):
                if state.articles:
                    Html(fragments.articles_html(state.articles, today, translations))
                else:
                    Html(empty(translations("knowledge.none"), translations.html("knowledge.none_advice")))

    return page
