"""The sections *What helped before* and *What the handbook says* of *Record*: evidence for the person who answers."""

import asyncio

from nicegui import ui

from triage.assist.answers.model import Answer, AnswerSpan
from triage.console.dependencies import Dependencies
from triage.console.record import fragments
from triage.console.web.elements import Html, section
from triage.console.web.fragments import NOTHING
from triage.console.web.layout import PageContext
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.evidence import VERDICTS, Verdict, VerdictLabel

log = get_logger("triage.console")


class EvidenceSections:
    """Shows the sections *What helped before* and *What the handbook says*, and fills them when the search is done.

    The search can take a second; until then they say so.
    """

    def __init__(self, dependencies: Dependencies, context: PageContext, hit: Hit) -> None:
        assert dependencies.evidence is not None
        self._evidence, self._context, self._hit = dependencies.evidence, context, hit
        self._translations = context.translations
        with section("cases", self._translations("evidence.cases")):
            self._cases = Html(fragments.waiting_html(self._translations)).props('aria-live="polite"')
        with section("handbook", self._translations("evidence.handbook")):
            self._handbook = Html(fragments.waiting_html(self._translations)).props('aria-live="polite"')
            self._spans = ui.element("div")
        ui.timer(0, self._load, once=True)

    async def _load(self) -> None:
        try:
            answer, verdicts = await asyncio.to_thread(self._evidence.of_record, self._hit)
        except TriageError as error:
            failed = fragments.no_evidence_html(str(error), self._translations)
            self._cases.show(failed)
            self._handbook.show(failed)
            return
        self._cases.show(fragments.cases_html(answer.cases, self._context.root, self._translations))
        self._handbook.show(fragments.handbook_html(answer, self._translations))
        with self._spans:
            for span in answer.answer:
                self._show(span, answer, verdicts)

    def _show(self, span: AnswerSpan, answer: Answer, verdicts: list[Verdict]) -> None:
        Html(fragments.span_html(span, answer, self._translations))
        own = [each for each in verdicts if each.passage == span.passage]
        told = Html(fragments.verdicts_html(own, self._translations)).props('aria-live="polite"')
        if not self._context.user.may_act:
            return
        with ui.element("div").classes("buttons"):
            for verdict in VERDICTS:
                button = ui.button(self._translations(f"evidence.{verdict}"))
                button.props("outline no-caps dense")
                button.on_click(lambda _, verdict=verdict: self._tell(span, verdict, told))

    async def _tell(self, span: AnswerSpan, verdict: VerdictLabel, told: Html) -> None:
        actor, translations = self._context.user.name, self._translations
        if verdict != "wrong":
            ui.clipboard.write(span.text)
        try:
            await asyncio.to_thread(self._evidence.tell, self._hit, span.passage, span.version, verdict, actor)
        except TriageError as error:
            ui.notify(translations("correct.failed", why=str(error)), type="negative", close_button=True)
            return
        log.info("evidence_assessed", record=self._hit.id, passage=span.passage, verdict=verdict, by=actor)
        message = "evidence.told_wrong" if verdict == "wrong" else "evidence.copied"
        ui.notify(translations(message), type="positive")
        told.show(NOTHING)
