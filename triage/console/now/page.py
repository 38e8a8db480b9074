"""*Now*: figures, sentiment over time, what moved, alerts and the latest records, renewed every two seconds."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from nicegui import ui

from triage.console.changes.measure import Movers
from triage.console.changes.panel import movers_html
from triage.console.data.refresh import Latest, SharedSnapshot
from triage.console.data.snapshot import Snapshot, TimeSlot
from triage.console.web import charts, fragments
from triage.console.web.layout import Visit, choices, page_layout, section, table_below
from triage.types import Channel

_REFRESH_S = 2.0
_FIRST_PAINT_S = 1.5
_CHANNELS = tuple(channel.value for channel in Channel)


def now_page(shared: SharedSnapshot, moved: Latest[Movers]) -> Callable[..., Awaitable[None]]:
    """The builder of one client's page: it comes with data unless reading takes long."""

    async def page(request: Request, channel: str = "") -> None:
        snapshot = await shared.within(_FIRST_PAINT_S)
        await moved.within(_FIRST_PAINT_S)
        with page_layout(request, "now") as visit:
            view = View(visit, channel if channel in _CHANNELS else "")
        view.show(snapshot, moved)

        async def refresh() -> None:
            view.show(await shared.current(), await moved.current())

        ui.timer(_REFRESH_S, refresh)

    return page


class View:
    """The parts of one open page that change."""

    def __init__(self, visit: Visit, channel: str) -> None:
        words = self._words = visit.words
        self._channel = channel
        self._visit = visit
        self._status = ui.html("", sanitize=False).classes("status whole")
        self._banner = ui.html("", sanitize=False).classes("whole").props('aria-live="assertive"')
        with section("figures", words("now.figures"), "whole bare", hidden=True):
            self._tiles = ui.html("", sanitize=False)
        with section("over-time", words("now.over_time"), "wide"):
            self._caption = ui.html("", tag="p", sanitize=False).classes("caption")
            ui.html(fragments.legend(words), sanitize=False).classes("corner")
            ui.html(_channels(visit, channel), sanitize=False)
            self._nothing = ui.html("", sanitize=False)
            self._timeline = chart("chart tall", charts.sentiment_over_time([], 0, 0, [], words))
            self._table = table_below(words("chart.as_table"))
        with section("alerts", words("now.alerts"), "narrow scrolls"):
            self._alerts = ui.html("", sanitize=False).props('aria-live="polite" tabindex="0"')
        with section("movers", words("now.movers"), "whole"):
            self._movers = ui.html("", sanitize=False)
        with section("records", words("now.latest"), "wide"):
            self._records = ui.html("", sanitize=False)
        with section("intents", words("now.top_intents"), "narrow follows"):
            ui.html(words("now.top_intents_note"), tag="p", sanitize=False).classes("caption")
            self._no_intents = ui.html("", sanitize=False)
            self._intents = chart("chart", charts.top_intents([], words))

    def show(self, snapshot: Snapshot, moved: Latest[Movers]) -> None:
        """Send what changed; elements compare with what the client already has."""
        words = self._words
        self._status.content = fragments.status(snapshot, words)
        self._banner.content = fragments.banner(snapshot.error, words, known=snapshot.known)
        self._caption.content = fragments.over_time_caption(snapshot, words)
        self._tiles.content = fragments.tiles(snapshot, words)
        self._alerts.content = fragments.alerts(snapshot, words)
        self._records.content = fragments.records(snapshot, words)
        self._movers.content = movers_html(moved, words)
        self._nothing.content = self._no_intents.content = fragments.nothing_to_chart(snapshot, words)
        self._timeline.visible = self._intents.visible = not snapshot.empty
        slots = self._slots(snapshot)
        alerts = [alert for alert in snapshot.alerts if self._channel in {"", alert.dimensions.get("channel", "")}]
        options = charts.sentiment_over_time(slots, snapshot.step_ms, snapshot.at_ms, alerts, words)
        draw(self._timeline, options, charts.timeline_in_words(slots, snapshot.step_ms, len(alerts), words))
        self._table.content = charts.timeline_table(slots, snapshot.at_ms, words)
        draw(
            self._intents, charts.top_intents(snapshot.intents, words), charts.intents_in_words(snapshot.intents, words)
        )

    def _slots(self, snapshot: Snapshot) -> list[TimeSlot]:
        return snapshot.by_channel.get(self._channel, []) if self._channel else snapshot.timeline


def _channels(visit: Visit, chosen: str) -> str:
    words = visit.words
    links = [
        (
            words.term("channel", name) if name else words("now.all_channels"),
            visit.root + (f"?channel={name}" if name else ""),
            name == chosen,
        )
        for name in ("", *_CHANNELS)
    ]
    return choices(words("column.channel"), links)


def chart(classes: str, options: charts.Options) -> ui.echart:
    """An ECharts drawing that screen readers know as one picture; `draw` gives it its words."""
    return ui.echart(options, renderer="svg").classes(classes).props('role="img"')


def draw(drawn: ui.echart, options: charts.Options, said: str) -> None:
    """Renew a chart if it has changed."""
    if drawn.props.get("aria-label") != said:
        drawn.props["aria-label"] = said
    if drawn.options != options:
        drawn.options.clear()
        drawn.options.update(options)
        drawn.update()
