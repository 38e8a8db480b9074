"""*Now*: key numbers, sentiment over time, top movers, alerts and the latest records, refreshed every two seconds."""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request
from markupsafe import Markup, escape
from nicegui import ui

from triage.console.changes.fragments import movers_html
from triage.console.changes.measure import Movers
from triage.console.data.shared_readings import SharedReading, SharedSnapshot
from triage.console.data.snapshot import Snapshot, TimeSlot
from triage.console.filters import Filters
from triage.console.now import fragments
from triage.console.now.pipeline import Pipeline, needs_html, status
from triage.console.web import charts
from triage.console.web.elements import Html, chart, chart_table, section, text, update_chart, zoomable
from triage.console.web.fragments import banner, incomplete
from triage.console.web.layout import PageContext, choices, page_layout
from triage.fleet import FleetView
from triage.schemas.action import Silence
from triage.types import Channel

_REFRESH_S = 2.0
_FIRST_PAINT_S = 1.5
_CHANNELS = tuple(channel.value for channel in Channel)


def now_page(
    shared: SharedSnapshot,
    movers: SharedReading[Movers],
    fleet: SharedReading[FleetView],
    silences: Callable[[], Sequence[Silence]] = tuple,
) -> Callable[..., Awaitable[None]]:
    """Return the NiceGUI page builder of *Now*, which is called for each visitor.

    `fleet` has the number of waiting records, `silences` returns the current silences. A page already has data when it
    opens, unless reading it takes longer than 1.5 s.
    """

    async def page(request: Request, channel: str = "") -> None:
        snapshot = await shared.within(_FIRST_PAINT_S)
        await movers.within(_FIRST_PAINT_S)
        await fleet.within(0.0)
        with page_layout(request, "now") as context:
            view = View(context, channel if channel in _CHANNELS else "", silences)
        view.show(snapshot, movers, fleet)

        async def refresh() -> None:
            # Kafka may take seconds to say nothing: the rest of the page does not wait for it.
            await fleet.within(0.0)
            view.show(await shared.current(), await movers.current(), fleet)

        ui.timer(_REFRESH_S, refresh)

    return page


class View:
    """The elements of one open page *Now* that change while it is open; `channel` is the one to show, "" all."""

    def __init__(self, page: PageContext, channel: str, silences: Callable[[], Sequence[Silence]] = tuple) -> None:
        translations = self._translations = page.translations
        self._channel = channel
        self._silences = silences
        self._status = Html().classes("status whole")
        self._needs = Html().classes("whole").props('aria-live="polite"')
        self._banner = Html().classes("whole").props('aria-live="assertive"')
        self._incomplete = Html().classes("whole")
        with section("figures", translations("now.figures"), "whole bare", hidden=True):
            self._tiles = Html()
        with section("over-time", translations("now.over_time"), "wide"):
            self._caption = text("").classes("caption")
            Html(charts.legend(translations)).classes("corner")
            Html(_channels(page, channel))
            self._nothing = Html()
            self._timeline = chart("chart tall", charts.sentiment_over_time([], 0, 0, [], translations))
            zoomable(self._timeline, self._zoomed)
            self._table = chart_table(translations("chart.as_table"))
        with section("alerts", translations("now.alerts"), "narrow scrolls"):
            self._alerts = Html().props('aria-live="polite" tabindex="0"')
        with section("movers", translations("now.movers"), "whole"):
            self._movers = Html()
        with section("records", translations("now.latest"), "wide"):
            self._records = Html()
        with section("intents", translations("now.top_intents"), "narrow follows"):
            text(translations("now.top_intents_note")).classes("caption")
            self._no_intents = Html()
            self._intents = chart("chart", charts.top_intents([], translations))

    def show(self, snapshot: Snapshot, movers: SharedReading[Movers], fleet: SharedReading[FleetView]) -> None:
        """Update all elements of the page with these readings; only changes are sent to the browser."""
        translations = self._translations
        pipeline = Pipeline(snapshot, None if fleet.error else fleet.value, fleet.error)
        self._status.show(status(pipeline, translations))
        self._needs.show(needs_html(pipeline, translations))
        self._banner.show(banner(snapshot.error, translations, known=snapshot.known))
        self._incomplete.show(incomplete([*snapshot.gaps, *movers.gaps], translations))
        self._caption.show(escape(fragments.over_time_caption(snapshot, translations)))
        self._tiles.show(fragments.tiles(snapshot, translations, pipeline.waiting if pipeline.state == "behind" else 0))
        self._alerts.show(fragments.alerts(snapshot, translations, self._silences()))
        self._records.show(fragments.records(snapshot, translations))
        self._movers.show(movers_html(movers, translations))
        nothing = fragments.nothing_to_chart(snapshot, translations)
        self._nothing.show(nothing)
        self._no_intents.show(nothing)
        self._timeline.visible = self._intents.visible = not snapshot.empty
        slots = self._slots(snapshot)
        alerts = [alert for alert in snapshot.alerts if self._channel in {"", alert.dimensions.get("channel", "")}]
        update_chart(
            self._timeline,
            charts.sentiment_over_time(
                slots, snapshot.step_ms, snapshot.at_ms, alerts, translations, pipeline.unread_ms
            ),
            charts.timeline_description(slots, snapshot.step_ms, len(alerts), translations),
        )
        self._table.show(charts.timeline_table(slots, snapshot.step_ms, snapshot.at_ms, translations))
        update_chart(
            self._intents,
            charts.top_intents(snapshot.intents, translations),
            charts.intents_description(snapshot.intents, translations),
        )

    def _zoomed(self, start_ms: int, end_ms: int) -> str:
        """The address of *Explore* for a part of the chart."""
        values = {"channel": (self._channel,)} if self._channel else {}
        return Filters(start=start_ms, end=end_ms, values=values).address("explore")

    def _slots(self, snapshot: Snapshot) -> list[TimeSlot]:
        return snapshot.by_channel.get(self._channel, []) if self._channel else snapshot.timeline


def _channels(page: PageContext, chosen: str) -> Markup:
    translations = page.translations
    links = [
        (
            translations.term("channel", name) if name else translations("now.all_channels"),
            page.root + (f"?channel={name}" if name else ""),
            name == chosen,
        )
        for name in ("", *_CHANNELS)
    ]
    return choices(translations("column.channel"), links)
