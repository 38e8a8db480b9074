"""*Explore*: the page with search and filters from its URL, a chart, a comparison, and pages of records."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, tzinfo

from fastapi import Request
from nicegui import ui

from triage.clock import from_ms, zone_named
from triage.console.changes.fragments import comparison_html
from triage.console.changes.measure import Comparison, compare
from triage.console.data.snapshot import Counts, TimeSlot
from triage.console.dependencies import Dependencies
from triage.console.explore.facets import VALUES, facets, read_facets
from triage.console.explore.fragments import chips, records_html, search_form, tools_html
from triage.console.filters import FIELDS, Filters
from triage.console.web import charts
from triage.console.web.elements import Html, chart, chart_table, section, text, update_chart, zoomable
from triage.console.web.fragments import banner, empty, incomplete
from triage.console.web.layout import PageContext, page_layout
from triage.console.web.zone import zone_of
from triage.elastic.completeness import noting
from triage.elastic.corrections import corrections_of
from triage.elastic.explore import FieldValues, Page, Statistics, records_page, statistics
from triage.elastic.search import recent_alerts
from triage.errors import TriageError
from triage.schemas.alert import Alert
from triage.schemas.correction import Correction
from triage.translations import Places, places_of

RESPONSE_S = 20.0
_SIZE = 25
_ALERTS = 50
_MINUTE_S = 60
# Of the chart: the first with at most _MAX_SLOTS slots is taken.
_STEPS_S = tuple(minutes * _MINUTE_S for minutes in (1, 5, 15, 60, 180, 720, 1440, 7 * 1440, 30 * 1440))
_MAX_SLOTS = 120
_YEARS_S = 20 * 365 * 86_400


@dataclass(frozen=True)
class ExploreResults:
    """The data of the page *Explore* for one set of filters; `step_ms` is the width of the chart's slots.

    `facets` has the values of each field by its parameter name; `corrections` are those of the listed records, by id;
    `alerts` are the latest about records of the view.
    """

    statistics: Statistics
    facets: dict[str, FieldValues]
    page: Page
    corrections: dict[str, Correction]
    comparison: Comparison | None
    step_ms: int
    alerts: list[Alert]


def explore_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request) -> None:
        filters = Filters.of(request.query_params)
        now_ms = dependencies.clock.now_ms()
        results: ExploreResults | None = None
        error: str | None = None
        with_comparison = request.query_params.get("compare") == "1"
        after = request.query_params.get("after")
        with noting() as gaps:
            try:
                results = await asyncio.to_thread(
                    read_results,
                    dependencies,
                    filters,
                    now_ms,
                    after,
                    with_comparison=with_comparison,
                    zone=zone_named(zone_of(request)),
                )
            except (ValueError, TriageError) as problem:
                error = str(problem)
        with page_layout(request, "explore") as context:
            Html(incomplete(gaps, context.translations)).classes("whole")
            _build(dependencies, context, filters, results, error, now_ms, with_comparison=with_comparison)

    return page


def read_results(
    dependencies: Dependencies,
    filters: Filters,
    now_ms: int,
    after: str | None,
    *,
    with_comparison: bool = False,
    zone: tzinfo = UTC,
) -> ExploreResults:
    """Read the data of the page *Explore*: numbers, facets, 25 records, their corrections, and alerts.

    `after` continues after an earlier page of records, None begins with the newest. Days of the chart begin at midnight
    in `zone`. Blocks; raises a TriageError if a request fails, ValueError for an invalid `after`.
    """
    client, settings, metrics = dependencies.client, dependencies.settings.elasticsearch, dependencies.metrics
    query = filters.query(now_ms)
    with metrics.console_read_seconds.time(), metrics.console_read_failures.count_exceptions():
        step_s = _step_s(filters, now_ms)
        # By the offset at the end of the view: where clocks change within it, earlier days begin an hour off.
        end_ms = filters.between(now_ms)[1] or now_ms
        offset_s = -round((from_ms(end_ms).astimezone(zone).utcoffset() or timedelta()).total_seconds()) % step_s
        totals = statistics(client, settings, query, dict.fromkeys(FIELDS.values(), VALUES), step_s, offset_s)
        page = records_page(client, settings, query, _SIZE, after)
        return ExploreResults(
            totals,
            read_facets(dependencies, filters, totals.facets, now_ms),
            page,
            corrections_of(client, settings, [hit.id for hit in page.hits]),
            compare(client, settings, filters, now_ms, _places(dependencies)) if with_comparison else None,
            step_s * 1000,
            [alert for alert in recent_alerts(client, settings, _ALERTS) if filters.admit(alert.dimensions)],
        )


def _places(dependencies: Dependencies) -> Places:
    return places_of(dependencies.settings.alerting.places)


def _step_s(filters: Filters, now_ms: int) -> int:
    start, end = filters.between(now_ms)
    span_s = ((end or now_ms) - start) // 1000 if start is not None else _YEARS_S
    return next((step for step in _STEPS_S if span_s / step <= _MAX_SLOTS), _STEPS_S[-1])


def _build(
    dependencies: Dependencies,
    context: PageContext,
    filters: Filters,
    results: ExploreResults | None,
    error: str | None,
    now_ms: int,
    *,
    with_comparison: bool,
) -> None:
    translations = context.translations
    Html(banner(error, translations, known=False)).classes("whole")
    with section("search", translations("explore.search"), "whole", hidden=True):
        Html(search_form(filters, translations))
        Html(chips(filters, translations))
    if results is None:
        return
    with ui.element("div").classes("explore whole"):
        facets(dependencies, filters, results.facets, translations)
        with ui.element("div").classes("results"):
            _over_time(filters, results, now_ms, context, with_comparison=with_comparison)
            if with_comparison:
                with section("compare", translations("compare.title")):
                    if results.comparison is None:
                        text(translations("compare.no_start"))
                    else:
                        Html(comparison_html(results.comparison, filters, translations, _places(dependencies)))
            if results.page.hits:
                with section("records", translations("explore.records")):
                    Html(records_html(filters, results.page, results.corrections, now_ms, translations))


def _over_time(
    filters: Filters, results: ExploreResults, now_ms: int, context: PageContext, *, with_comparison: bool
) -> None:
    translations = context.translations
    overall = results.statistics.sentiment
    with section("over-time", translations("explore.count", n=results.statistics.total)):
        if overall.total:
            share = translations.percent(Counts(overall.negative, overall.neutral, overall.positive).negative_share)
            text(translations("explore.share", share=share, step=translations.duration(results.step_ms))).classes(
                "caption"
            )
        tools = tools_html(
            filters, overall.total, now_ms, context.user.name, translations, with_comparison=with_comparison
        )
        Html(tools).classes("corner-buttons")
        slots = _slots(results)
        if not slots:
            Html(empty(translations("explore.nothing"), translations("explore.nothing_advice")))
            return
        options = charts.sentiment_over_time(slots, results.step_ms, now_ms, results.alerts, translations)
        Html(charts.legend(translations))
        drawn = chart("chart small", options)
        zoomable(drawn, lambda start, end: replace(filters, start=start, end=end).address("explore"))
        update_chart(
            drawn, options, charts.timeline_description(slots, results.step_ms, len(results.alerts), translations)
        )
        chart_table(translations("chart.as_table")).show(
            charts.timeline_table(slots, results.step_ms, now_ms, translations)
        )


def _slots(results: ExploreResults) -> list[TimeSlot]:
    """The chart's slots with empty ones in the gaps, unless that makes more slots than the chart can show."""
    known = {slot.start_ms: slot for slot in results.statistics.slots}
    if not known:
        return []
    every_step = range(min(known), max(known) + 1, results.step_ms)
    starts = every_step if len(every_step) <= 2 * _MAX_SLOTS else sorted(known)
    return [
        TimeSlot(start, Counts(slot.negative, slot.neutral, slot.positive) if (slot := known.get(start)) else Counts())
        for start in starts
    ]
