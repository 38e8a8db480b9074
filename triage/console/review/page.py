"""*Review*: records of which the model was not sure, one after the other; what people say becomes training data."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from html import escape

from fastapi import Request
from nicegui import ui
from nicegui.events import KeyEventArguments

from triage.clock import parse_rfc3339
from triage.console.dependencies import Dependencies
from triage.console.filters import RANGES, Filters
from triage.console.record.correction_form import CorrectionForm, correction_html, intents_of
from triage.console.record.html import intents_html
from triage.console.translations import Translations
from triage.console.web import fragments
from triage.console.web.charts import SENTIMENTS
from triage.console.web.highlighting import highlighted
from triage.console.web.layout import Visit, choices, page_layout, section
from triage.elastic import corrections as store
from triage.elastic.aggregations import event_time_range
from triage.elastic.explore import records_page, statistics
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.schemas.correction import Correction

_BATCH = 20
_LATEST = 8
# Beyond so many judged records in the view, the oldest of them may come again.
_MOST_JUDGED = 5_000
_LOW_CONFIDENCE: JsonObject = {"term": {"flags": "low_confidence"}}
_ORDERS: dict[str, list[JsonObject]] = {
    "new": [{"@timestamp": "desc"}, {"event.id": "asc"}],
    "unsure": [{"intent.confidence": "asc"}, {"event.id": "asc"}],
}
_TEXT_CHARS = 4_000
_DIGITS = tuple("123456789")


@dataclass(frozen=True)
class Queue:
    """The head of the queue and how long it is; `judged` and `changed` count all corrections there are."""

    hits: list[Hit]
    waiting: int
    judged: int
    changed: int
    latest: list[Correction]


def review_page(site: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, order: str = "new") -> None:
        filters = Filters.of(request.query_params)
        order = order if order in _ORDERS else "new"
        queue, error = None, None
        try:
            queue = await asyncio.to_thread(read_queue, site, filters, order)
        except TriageError as problem:
            error = str(problem)
        with page_layout(request, "review") as visit:
            ui.html(fragments.banner(error, visit.words, known=False), sanitize=False).classes("whole")
            if queue is not None:
                _Review(site, visit, filters, order, queue)

    return page


def read_queue(site: Dependencies, filters: Filters, order: str) -> Queue:
    """Records flagged low_confidence that nobody has judged. Blocks; raises a TriageError."""
    client, settings = site.client, site.settings.elasticsearch
    now_ms = site.clock.now_ms()
    start_ms, end_ms = filters.between(now_ms)
    known = store.corrected_records(client, settings, start_ms or 0, end_ms or now_ms + 1, _MOST_JUDGED)
    # With its day beside it an index of another day does not look for a record: there are many of both.
    left_out = [
        {"bool": {"filter": [*event_time_range(day_ms, day_ms + store.DAY_MS), {"ids": {"values": ids}}]}}
        for day_ms, ids in known.items()
    ]
    query: JsonObject = {"bool": {"filter": [filters.query(now_ms), _LOW_CONFIDENCE], "must_not": left_out}}
    found = records_page(client, settings, query, _BATCH, order=_ORDERS[order])
    waiting = statistics(client, settings, query, {}, 365 * 86_400).total
    judged, changed = store.count_corrections(client, settings)
    return Queue(found.hits, waiting, judged, changed, store.latest_corrections(client, settings, _LATEST))


class _Review:
    """One open queue: shows its head, and the next when that is judged or skipped."""

    def __init__(self, site: Dependencies, visit: Visit, filters: Filters, order: str, queue: Queue) -> None:
        self._site, self._visit, self._words = site, visit, visit.words
        self._filters, self._order, self._queue = filters, order, queue
        self._left = list(queue.hits)
        self._done = 0
        self._form: CorrectionForm | None = None
        self._intents = intents_of(site, queue.hits)
        words = self._words
        ui.html(_ways(filters, order, words), sanitize=False).classes("whole")
        with section("queue", words("review.title"), "wide"):
            self._count = ui.html("", tag="p", sanitize=False).classes("caption").props('aria-live="polite"')
            self._card = ui.element("div").props('aria-live="polite"')
        with section("latest", words("review.latest"), "narrow"):
            self._latest = ui.html(_latest(queue.latest, queue, words), sanitize=False)
        ui.keyboard(self._key, repeating=False, ignore=["input", "select", "textarea"])
        self._show()

    def _show(self) -> None:
        words = self._words
        self._count.content = words("review.waiting", n=words.number(max(0, self._queue.waiting - self._done)))
        self._card.clear()
        self._form = None
        with self._card:
            if not self._left:
                more = self._queue.waiting > len(self._queue.hits)
                advice = words("review.more" if more else "review.empty_advice")
                ui.html(fragments.empty(words("review.batch_done" if more else "review.empty"), advice), sanitize=False)
                return
            self._record(self._left[0])

    def _record(self, hit: Hit) -> None:
        words, record = self._words, hit.record
        facts = [
            words.when(parse_rfc3339(record.timestamp), self._site.clock.now_ms()),
            words.term("channel", record.channel.value),
            words.term("language", record.language),
            record.product,
            record.brand,
        ]
        meta = " · ".join(escape(fact) for fact in facts if fact)
        text = highlighted(record.text, record.entities, words, _TEXT_CHARS)
        ui.html(
            f'<p class="whole-text" lang="{escape(record.language)}">{text}</p><p class="meta">{meta} · '
            f'<a href="records/{escape(hit.id)}">{words("review.open")}</a></p>{intents_html(record, words)}',
            sanitize=False,
        )
        if not self._visit.user.may_act:
            ui.html(f"<p>{words('correct.viewer')}</p>", sanitize=False)
        else:
            name = self._visit.user.name
            self._form = CorrectionForm(self._site, hit, self._intents, words, name, self._saved, words("review.save"))
        with ui.element("div").classes("buttons"):
            ui.button(words("review.skip"), on_click=self._next).props("flat no-caps")
        ui.html(words("review.keys"), tag="p", sanitize=False).classes("caption below")

    async def _saved(self, correction: Correction) -> None:
        self._done += 1
        judged = Queue([], 0, self._queue.judged + self._done, self._queue.changed, [])
        self._queue.latest.insert(0, correction)
        self._latest.content = _latest(self._queue.latest[:_LATEST], judged, self._words)
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


def _ways(filters: Filters, order: str, words: Translations) -> str:
    def address(range_name: str, by: str) -> str:
        chosen = Filters(filters.text, range_name, values=filters.values)
        return chosen.address("review", order=None if by == "new" else by)

    ranges = [(words(f"range.{name}"), address(name, order), name == filters.range) for name in RANGES if name != "1h"]
    orders = [(words(f"review.{name}"), address(filters.range, name), name == order) for name in _ORDERS]
    both = choices(words("explore.range"), ranges) + choices(words("review.order"), orders)
    return f'<div class="ways">{both}</div>'


def _latest(latest: Sequence[Correction], queue: Queue, words: Translations) -> str:
    said = words("review.judged", judged=words.number(queue.judged), changed=words.number(queue.changed))
    items = "".join(
        f'<li><a href="records/{escape(one.record)}" lang="{escape(one.language)}">'
        f"{escape(one.text[:90])}</a>{correction_html(one, words)}</li>"
        for one in latest
    )
    train = f'<p class="caption below">{words("review.train")}</p>'
    return f'<p class="caption">{said}</p><ul class="plain-list">{items}</ul>{train}'
