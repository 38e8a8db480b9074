"""*Explore*: search and filters as the address says; facets, a chart, a comparison, records by the page."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape

from fastapi import Request
from nicegui import ui

from triage.console.changes.measure import Comparison, compare
from triage.console.changes.panel import comparison_html
from triage.console.data.snapshot import Counts, TimeSlot
from triage.console.dependencies import Dependencies
from triage.console.explore.search_form import chips, facets_html, search_form
from triage.console.filters import FIELDS, RANGES, Filters
from triage.console.now.page import chart, draw
from triage.console.translations import Translations
from triage.console.web import charts, fragments
from triage.console.web.layout import Visit, page_layout, section, table_below
from triage.console.web.rows import records_table
from triage.elastic.corrections import corrections_of
from triage.elastic.explore import Page, Statistics, records_page, statistics
from triage.errors import TriageError
from triage.schemas.correction import Correction

RESPONSE_S = 20.0
_SIZE = 25
_FACET_VALUES = 8
_MINUTE_S = 60
# Of the chart: the first that makes no more than so many slots.
_STEPS_S = tuple(minutes * _MINUTE_S for minutes in (1, 5, 15, 60, 180, 720, 1440, 7 * 1440, 30 * 1440))
_MOST_SLOTS = 120
_YEARS_S = 20 * 365 * 86_400


@dataclass(frozen=True)
class Findings:
    """All that the page shows of one view."""

    statistics: Statistics
    page: Page
    corrections: dict[str, Correction]
    comparison: Comparison | None
    step_ms: int


def explore_page(site: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request) -> None:
        filters = Filters.of(request.query_params)
        now_ms = site.clock.now_ms()
        found: Findings | None = None
        error: str | None = None
        wants_comparison = request.query_params.get("compare") == "1"
        try:
            found = await asyncio.to_thread(
                look, site, filters, now_ms, request.query_params.get("after"), wants_comparison=wants_comparison
            )
        except ValueError as problem:
            error = str(problem)
        except TriageError as problem:
            error = str(problem)
        with page_layout(request, "explore") as visit:
            _build(visit, filters, found, error, now_ms, wants_comparison=wants_comparison)

    return page


def look(
    site: Dependencies, filters: Filters, now_ms: int, after: str | None, *, wants_comparison: bool = False
) -> Findings:
    """Two requests, and more only for a comparison. Blocks; raises a TriageError, ValueError for a wrong `after`."""
    client, settings = site.client, site.settings.elasticsearch
    query = filters.query(now_ms)
    with site.metrics.console_read_seconds.time(), site.metrics.console_read_failures.count_exceptions():
        step_s = _step_s(filters, now_ms)
        found = statistics(client, settings, query, dict.fromkeys(FIELDS.values(), _FACET_VALUES), step_s)
        page = records_page(client, settings, query, _SIZE, after)
        return Findings(
            found,
            page,
            corrections_of(client, settings, [hit.id for hit in page.hits]),
            compare(client, settings, filters, now_ms) if wants_comparison else None,
            step_s * 1000,
        )


def _step_s(filters: Filters, now_ms: int) -> int:
    start, end = filters.between(now_ms)
    span_s = ((end or now_ms) - start) // 1000 if start is not None else _YEARS_S
    return next((step for step in _STEPS_S if span_s / step <= _MOST_SLOTS), _STEPS_S[-1])


def _build(
    visit: Visit, filters: Filters, found: Findings | None, error: str | None, now_ms: int, *, wants_comparison: bool
) -> None:
    words = visit.words
    ui.html(fragments.banner(error, words, known=False), sanitize=False).classes("whole")
    with section("search", words("explore.search"), "whole", hidden=True):
        ui.html(search_form(filters, words), sanitize=False)
        ui.html(chips(filters, words), sanitize=False)
    if found is None:
        return
    with ui.element("div").classes("explore whole"):
        ui.html(facets_html(filters, found.statistics.facets, words), sanitize=False).classes("card facets")
        with ui.element("div").classes("results"):
            _over_time(filters, found, now_ms, words, wants_comparison=wants_comparison)
            if wants_comparison:
                with section("compare", words("compare.title")):
                    said = comparison_html(found.comparison, filters, words) if found.comparison else ""
                    ui.html(said or f"<p>{words('compare.no_start')}</p>", sanitize=False)
            if found.page.hits:
                with section("records", words("explore.records")):
                    ui.html(_records(filters, found, now_ms, words), sanitize=False)


def _over_time(filters: Filters, found: Findings, now_ms: int, words: Translations, *, wants_comparison: bool) -> None:
    overall = found.statistics.sentiment
    with section("over-time", words("explore.count", n=words.number(found.statistics.total))):
        if overall.total:
            share = Counts(overall.negative, overall.neutral, overall.positive).negative_share
            said = words("explore.share", share=words.percent(share), step=words.duration(found.step_ms))
            ui.html(escape(said), tag="p", sanitize=False).classes("caption")
        links = [] if wants_comparison else [(filters.address("explore", compare="1"), words("explore.compare"))]
        links.append((filters.address("explore.csv"), words("explore.export")))
        shown = "".join(f'<a class="button" href="{escape(url)}">{text}</a>' for url, text in links)
        ui.html(f'<p class="buttons">{shown}</p>', sanitize=False).classes("corner-buttons")
        slots = _slots(found)
        if not slots:
            ui.html(fragments.empty(words("explore.nothing"), words("explore.nothing_advice")), sanitize=False)
            return
        options = charts.sentiment_over_time(slots, found.step_ms, now_ms, [], words)
        drawn = chart("chart small", options)
        draw(drawn, options, charts.timeline_in_words(slots, found.step_ms, 0, words))
        table_below(words("chart.as_table")).content = charts.timeline_table(slots, now_ms, words)


def _slots(found: Findings) -> list[TimeSlot]:
    """Without gaps, where that makes no more than the chart can take."""
    known = {slot.start_ms: slot for slot in found.statistics.slots}
    if not known:
        return []
    starts = range(min(known), max(known) + 1, found.step_ms)
    wanted = starts if len(starts) <= 2 * _MOST_SLOTS else sorted(known)
    return [
        TimeSlot(start, Counts(slot.negative, slot.neutral, slot.positive) if (slot := known.get(start)) else Counts())
        for start in wanted
    ]


def _records(filters: Filters, found: Findings, now_ms: int, words: Translations) -> str:
    table = records_table(found.page.hits, now_ms, words, found.corrections, caption=words("explore.records"))
    if found.page.after is None:
        return table
    older = escape(filters.address("explore", after=found.page.after))
    return f'{table}<p class="buttons"><a class="button" rel="next" href="{older}">{words("explore.older")}</a></p>'


__all__ = ["RANGES", "RESPONSE_S", "Findings", "explore_page", "look"]
