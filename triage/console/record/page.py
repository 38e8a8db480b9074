"""*Record*: one text with entities and labels, their explanation, similar records, and the form to correct them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from nicegui import ui

from triage.clock import DAY_MS, parse_rfc3339
from triage.console.dependencies import Dependencies
from triage.console.record import fragments
from triage.console.record.correction_form import CorrectionForm, intents_of
from triage.console.record.evidence import EvidenceSections
from triage.console.web.elements import Html, section, text
from triage.console.web.fragments import NOTHING, banner, empty, incomplete
from triage.console.web.language import translations_of
from triage.console.web.layout import PageContext, page_layout
from triage.console.web.records_table import records_table
from triage.elastic import corrections as store
from triage.elastic.aggregations import event_time_range
from triage.elastic.completeness import noting
from triage.elastic.explore import find_record, similar
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.correction import Correction
from triage.schemas.explanation import RuleExplanation
from triage.translations import Translations

log = get_logger("triage.console")

_SIMILAR = 5
_AROUND_MS = 7 * DAY_MS


@dataclass(frozen=True)
class RecordDetails:
    """The data of the page *Record*: one record, its correction, similar records, and the rules that fired.

    `problem` is the reason if the rules could not be evaluated, else empty.
    """

    hit: Hit
    correction: Correction | None
    similar: list[Hit]
    rules: list[RuleExplanation]
    rules_version: str
    problem: str


def record_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, record_id: str) -> None:
        details, error = None, None
        with noting() as gaps:
            try:
                details = await asyncio.to_thread(read_details, dependencies, record_id)
            except TriageError as problem:
                error = str(problem)
        with page_layout(request, "explore", translations_of(request)("record.title")) as context:
            translations = context.translations
            Html(incomplete(gaps, translations)).classes("whole")
            Html(banner(error, translations, known=False)).classes("whole")
            if details is not None:
                _build(dependencies, context, details)
            elif error is None:
                ui.context.client.status_code = 404
                Html(empty(translations("record.missing"), translations("record.missing_advice"))).classes("card whole")

    return page


def read_details(dependencies: Dependencies, record_id: str) -> RecordDetails | None:
    """Read the record with the `_id` `record_id` and its details; None if no index has it.

    Blocks; raises a TriageError if a request fails.
    """
    client, settings = dependencies.client, dependencies.settings.elasticsearch
    hit = find_record(client, settings, record_id)
    if hit is None:
        return None
    at_ms = parse_rfc3339(hit.record.timestamp)
    others = {"bool": {"must_not": [{"ids": {"values": [hit.id]}}]}}
    around = {"bool": {"filter": [*event_time_range(at_ms - _AROUND_MS, at_ms + _AROUND_MS), others]}}
    rules: list[RuleExplanation] = []
    version, problem = "", ""
    try:
        rules, version = dependencies.explainer.rules(hit.record)
    except TriageError as error:
        problem = str(error)
    return RecordDetails(
        hit,
        store.corrections_of(client, settings, [hit.id]).get(hit.id),
        similar(client, settings, hit.record.text, around, _SIMILAR),
        rules,
        version,
        problem,
    )


def _build(dependencies: Dependencies, context: PageContext, details: RecordDetails) -> None:
    translations, record = context.translations, details.hit.record
    with ui.element("div").classes("column wide-column"):
        with section("text", translations("record.text")):
            Html(fragments.text_html(record, translations))
        if dependencies.evidence is not None and record.written:
            EvidenceSections(dependencies, context, details.hit)
        _decision(dependencies, details, translations)
        with section("rules", translations("record.rules")):
            Html(fragments.rules_html(record, details.rules, details.rules_version, details.problem, translations))
        with section("similar", translations("record.similar")):
            if details.similar:
                Html(records_table(details.similar, dependencies.clock.now_ms(), translations, root=context.root))
            else:
                text(translations("record.none_similar"))
    with ui.element("div").classes("column"):
        _correct(dependencies, context, details)
        with section("facts", translations("record.facts")):
            Html(fragments.facts_html(details.hit, translations))
        with section("links", translations("record.links")):
            Html(fragments.links_html(record, translations, context.root))


def _decision(dependencies: Dependencies, details: RecordDetails, translations: Translations) -> None:
    """Build the section with the model's labels, and a button for the words that decided, which costs model calls."""
    record = details.hit.record
    with section("decision", translations("record.decision")):
        Html(fragments.labels_html(record, translations))
        answer = Html().props('aria-live="polite"')

        async def explain() -> None:
            button.props("loading")
            try:
                intent, sentiment, version = await asyncio.to_thread(dependencies.explainer.word_weights, record)
                risks, own = await asyncio.to_thread(dependencies.explainer.own_labels, record)
            except TriageError as error:
                answer.show(fragments.no_word_weights_html(str(error), translations))
                return
            finally:
                button.props(remove="loading")
            words = fragments.word_weights_html(record, intent, sentiment, version, translations)
            answer.show(words + fragments.own_labels_html(risks, own, translations))
            button.delete()

        button = ui.button(translations("record.explain"), on_click=explain).props("unelevated no-caps outline")


def _correct(dependencies: Dependencies, context: PageContext, details: RecordDetails) -> None:
    translations, hit, user = context.translations, details.hit, context.user
    with section("correct", translations("correct.title")):
        known = Html(fragments.correction_html(details.correction, translations) if details.correction else NOTHING)
        known.props('aria-live="polite"')
        if not user.may_act:
            text(translations("correct.viewer"))
            return

        async def saved(correction: Correction) -> None:
            known.show(fragments.correction_html(correction, translations))
            withdraw_button.visible = True
            ui.notify(translations("correct.saved"), type="positive")

        async def withdraw() -> None:
            try:
                await asyncio.to_thread(
                    store.withdraw, dependencies.client, dependencies.settings.elasticsearch, hit.id
                )
            except TriageError as error:
                ui.notify(translations("correct.failed", why=str(error)), type="negative", close_button=True)
                return
            log.info("correction_withdrawn", record=hit.id, by=user.name)
            known.show(NOTHING)
            withdraw_button.visible = False

        intents, submit = intents_of(dependencies, [hit]), translations("correct.save")
        CorrectionForm(dependencies, hit, intents, translations, user.name, saved, submit)
        withdraw_button = ui.button(translations("correct.withdraw"), on_click=withdraw).props("flat no-caps dense")
        withdraw_button.visible = details.correction is not None
        text(translations.html("correct.note")).classes("caption below")
