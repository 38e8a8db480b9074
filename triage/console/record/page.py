"""*Record*: one text with what was found in it, why it was judged so, its relatives, and the way to put it right."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape

from fastapi import Request
from nicegui import ui

from triage.clock import parse_rfc3339
from triage.console.dependencies import Dependencies
from triage.console.record.correction_form import CorrectionForm, correction_html, intents_of
from triage.console.record.html import facts_html, intents_html, links_html, rules_html, text_html, words_html
from triage.console.translations import Translations
from triage.console.web import fragments
from triage.console.web.highlighting import weighed
from triage.console.web.layout import Visit, page_layout, section
from triage.console.web.rows import records_table
from triage.elastic import corrections as store
from triage.elastic.aggregations import event_time_range
from triage.elastic.explore import find_record, similar
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.correction import Correction
from triage.schemas.explanation import RuleExplanation

log = get_logger("triage.console")

_SIMILAR = 5
_AROUND_MS = 7 * 86_400_000


@dataclass(frozen=True)
class Reading:
    """A record with what is known around it; `problem` says why the rules could not be asked."""

    hit: Hit
    correction: Correction | None
    similar: list[Hit]
    rules: list[RuleExplanation]
    rules_version: str
    problem: str


def record_page(site: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, record_id: str) -> None:
        reading, error = None, None
        try:
            reading = await asyncio.to_thread(read, site, record_id)
        except TriageError as problem:
            error = str(problem)
        with page_layout(request, "explore", Visit.of(request).words("record.title")) as visit:
            ui.html(fragments.banner(error, visit.words, known=False), sanitize=False).classes("whole")
            if reading is not None:
                _build(site, visit, reading)
            elif error is None:
                ui.context.client.status_code = 404
                missing = fragments.empty(visit.words("record.missing"), visit.words("record.missing_advice"))
                ui.html(missing, sanitize=False).classes("card whole")

    return page


def read(site: Dependencies, record_id: str) -> Reading | None:
    """None where no index has it. Blocks; raises a TriageError."""
    client, settings = site.client, site.settings.elasticsearch
    hit = find_record(client, settings, record_id)
    if hit is None:
        return None
    at_ms = parse_rfc3339(hit.record.timestamp)
    others = {"bool": {"must_not": [{"ids": {"values": [hit.id]}}]}}
    around = {"bool": {"filter": [*event_time_range(at_ms - _AROUND_MS, at_ms + _AROUND_MS), others]}}
    rules: list[RuleExplanation] = []
    version, problem = "", ""
    try:
        rules, version = site.explainer.rules(hit.record)
    except TriageError as error:
        problem = str(error)
    return Reading(
        hit,
        store.corrections_of(client, settings, [hit.id]).get(hit.id),
        similar(client, settings, hit.record.text, around, _SIMILAR),
        rules,
        version,
        problem,
    )


def _build(site: Dependencies, visit: Visit, reading: Reading) -> None:
    words, record = visit.words, reading.hit.record
    with ui.element("div").classes("column wide-column"):
        with section("text", words("record.text")):
            ui.html(text_html(record, words), sanitize=False)
        _decision(site, reading, words)
        with section("rules", words("record.rules")):
            said = rules_html(record, reading.rules, reading.rules_version, reading.problem, words)
            ui.html(said, sanitize=False)
        with section("similar", words("record.similar")):
            table = records_table(reading.similar, site.clock.now_ms(), words, root=visit.root)
            ui.html(table if reading.similar else f"<p>{words('record.none_similar')}</p>", sanitize=False)
    with ui.element("div").classes("column"):
        _correct(site, visit, reading)
        with section("facts", words("record.facts")):
            ui.html(facts_html(reading.hit, words), sanitize=False)
        with section("links", words("record.links")):
            ui.html(links_html(record, words, visit.root), sanitize=False)


def _decision(site: Dependencies, reading: Reading, words: Translations) -> None:
    """The model's labels at once; the words behind them when asked, for that costs a call of the model."""
    record = reading.hit.record
    with section("decision", words("record.decision")):
        ui.html(intents_html(record, words), sanitize=False)
        answer = ui.html("", sanitize=False).props('aria-live="polite"')

        async def explain() -> None:
            button.props("loading")
            try:
                intent, sentiment, version = await asyncio.to_thread(site.explainer.words, record)
            except TriageError as error:
                answer.content = f'<p class="remark">{escape(words("record.no_model", why=str(error)))}</p>'
                return
            finally:
                button.props(remove="loading")
            other = "" if version == record.versions.model else words("record.other_model", version=version)
            answer.content = "".join(
                words_html(kind, head, weighed(record.text, head.words), record.language, words)
                for kind, head in (("intent", intent), ("sentiment", sentiment))
            ) + (f'<p class="remark">{escape(other)}</p>' if other else "")
            button.delete()

        button = ui.button(words("record.explain"), on_click=explain).props("unelevated no-caps outline")


def _correct(site: Dependencies, visit: Visit, reading: Reading) -> None:
    words, hit = visit.words, reading.hit
    with section("correct", words("correct.title")):
        known = ui.html(correction_html(reading.correction, words) if reading.correction else "", sanitize=False)
        known.props('aria-live="polite"')
        if not visit.user.may_act:
            ui.html(f"<p>{words('correct.viewer')}</p>", sanitize=False)
            return

        async def saved(correction: Correction) -> None:
            known.content = correction_html(correction, words)
            withdraw.visible = True
            ui.notify(words("correct.saved"), type="positive")

        async def take_back() -> None:
            try:
                await asyncio.to_thread(store.withdraw, site.client, site.settings.elasticsearch, hit.id)
            except TriageError as error:
                ui.notify(words("correct.failed", why=str(error)), type="negative", close_button=True)
                return
            log.info("correction_withdrawn", record=hit.id, by=visit.user.name)
            known.content = ""
            withdraw.visible = False

        CorrectionForm(site, hit, intents_of(site, [hit]), words, visit.user.name, saved, words("correct.save"))
        withdraw = ui.button(words("correct.withdraw"), on_click=take_back).props("flat no-caps dense")
        withdraw.visible = reading.correction is not None
        ui.html(words("correct.note"), tag="p", sanitize=False).classes("caption below")
