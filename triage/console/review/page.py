"""*Review*: shows low-confidence records one after the other; corrections become training data."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from markupsafe import escape
from nicegui import ui
from nicegui.events import KeyEventArguments

from triage.clock import DAY_MS
from triage.console.dependencies import Dependencies
from triage.console.filters import Filters
from triage.console.record.correction_form import CorrectionForm, intents_of
from triage.console.review import fragments
from triage.console.web.charts import SENTIMENTS
from triage.console.web.elements import Html, section, text
from triage.console.web.fragments import banner, empty, incomplete
from triage.console.web.layout import PageContext, page_layout
from triage.elastic import corrections as store
from triage.elastic.aggregations import event_time_range
from triage.elastic.completeness import noting
from triage.elastic.explore import records_page, statistics
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.schemas.correction import Correction

_BATCH = 20
_LATEST = 8
# With more reviewed records than this in the view, the oldest of them may be shown again.
_MOST_REVIEWED = 5_000
_LOW_CONFIDENCE: JsonObject = {"term": {"flags": "low_confidence"}}
_ORDERS: dict[str, list[JsonObject]] = {
    "new": [{"@timestamp": "desc"}, {"event.id": "asc"}],
    "unsure": [{"intent.confidence": "asc"}, {"event.id": "asc"}],
}
_DIGITS = tuple("123456789")


@dataclass(frozen=True)
class ReviewQueue:
    """The first records to review (`hits`), and the total number of waiting ones (`waiting`).

    `reviewed` is the number of all corrections, `changed` of those that changed a label; `latest` are the last ones.
    """

    hits: list[Hit]
    waiting: int
    reviewed: int
    changed: int
    latest: list[Correction]


def review_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, order: str = "new") -> None:
        filters = Filters.of(request.query_params)
        order = order if order in _ORDERS else "new"
        queue, error = None, None
        with noting() as gaps:
            try:
                queue = await asyncio.to_thread(read_queue, dependencies, filters, order)
            except TriageError as problem:
                error = str(problem)
        with page_layout(request, "review") as context:
            Html(incomplete(gaps, context.translations)).classes("whole")
            Html(banner(error, context.translations, known=False)).classes("whole")
            if queue is not None:
                _Review(dependencies, context, filters, order, queue)

    return page


def read_queue(dependencies: Dependencies, filters: Filters, order: str) -> ReviewQueue:
    """Read the records flagged low_confidence that have no correction, in the order named `order`: `new` or `unsure`.

    Blocks; raises a TriageError if a request fails.
    """
    client, settings = dependencies.client, dependencies.settings.elasticsearch
    now_ms = dependencies.clock.now_ms()
    start_ms, end_ms = filters.between(now_ms)
    known = store.corrected_records(client, settings, start_ms or 0, end_ms or now_ms + 1, _MOST_REVIEWED)
    # With its day, indices of other days need not look for a record: there are many of both.
    left_out = [
        {"bool": {"filter": [*event_time_range(day_ms, day_ms + DAY_MS), {"ids": {"values": ids}}]}}
        for day_ms, ids in known.items()
    ]
    query: JsonObject = {"bool": {"filter": [filters.query(now_ms), _LOW_CONFIDENCE], "must_not": left_out}}
    page = records_page(client, settings, query, _BATCH, order=_ORDERS[order])
    waiting = statistics(client, settings, query, {}, 365 * 86_400).total
    reviewed, changed = store.count_corrections(client, settings)
    return ReviewQueue(page.hits, waiting, reviewed, changed, store.latest_corrections(client, settings, _LATEST))


class _Review:
    """One open *Review* page: shows the first record of the queue, and the next one when it is reviewed or skipped."""

    def __init__(
        self, dependencies: Dependencies, page: PageContext, filters: Filters, order: str, queue: ReviewQueue
    ) -> None:
        translations = self._translations = page.translations
        self._dependencies, self._page, self._queue = dependencies, page, queue
        self._left = list(queue.hits)
        self._done = 0
        self._form: CorrectionForm | None = None
        self._intents = intents_of(dependencies, queue.hits)
        Html(fragments.order_html(filters, order, tuple(_ORDERS), translations)).classes("whole")
        with section("queue", translations("review.title"), "wide"):
            self._count = text("").classes("caption").props('aria-live="polite"')
            self._card = ui.element("div").props('aria-live="polite"')
        with section("latest", translations("review.latest"), "narrow"):
            self._latest = Html(fragments.latest_html(queue.latest, queue.reviewed, queue.changed, translations))
        ui.keyboard(self._key, repeating=False, ignore=["input", "select", "textarea"])
        self._show()

    def _show(self) -> None:
        translations = self._translations
        waiting = max(0, self._queue.waiting - self._done)
        self._count.show(escape(translations("review.waiting", n=waiting)))
        self._card.clear()
        self._form = None
        with self._card:
            if self._left:
                self._record(self._left[0])
            elif self._queue.waiting > len(self._queue.hits):
                Html(empty(translations("review.batch_done"), translations.html("review.more")))
            else:
                Html(empty(translations("review.empty"), translations("review.empty_advice")))

    def _record(self, hit: Hit) -> None:
        translations, user = self._translations, self._page.user
        Html(fragments.record_html(hit, self._dependencies.clock.now_ms(), translations))
        if user.may_act:
            submit = translations("review.save")
            self._form = CorrectionForm(
                self._dependencies, hit, self._intents, translations, user.name, self._saved, submit
            )
        else:
            text(translations("correct.viewer"))
        with ui.element("div").classes("buttons"):
            ui.button(translations("review.skip"), on_click=self._next).props("flat no-caps")
        text(translations("review.keys")).classes("caption below")

    async def _saved(self, correction: Correction) -> None:
        self._done += 1
        self._queue.latest.insert(0, correction)
        latest, reviewed = self._queue.latest[:_LATEST], self._queue.reviewed + self._done
        self._latest.show(fragments.latest_html(latest, reviewed, self._queue.changed, self._translations))
        # It may have been skipped while it was stored.
        if self._left and self._left[0].id == correction.record:
            self._next()

    def _next(self) -> None:
        self._left = self._left[1:]
        self._show()

    async def _key(self, event: KeyEventArguments) -> None:
        form = self._form
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.alt or event.modifiers.meta:
            return
        key = event.key.name.lower()
        if key == "s":
            self._next()
        elif form is None:
            return
        elif key in {"n", "u", "p"}:
            form.sentiment.value = SENTIMENTS[("n", "u", "p").index(key)]
        elif key in _DIGITS and 1 <= int(key) <= len(top := self._left[0].record.intent.top):
            form.intent.value = top[int(key) - 1].label
        elif key == "enter":
            await form.save()
