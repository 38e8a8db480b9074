"""The page: a skeleton with headings and landmarks, filled from the shared snapshot every two seconds."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from nicegui import ui

from triage.console import charts, fragments
from triage.console.refresh import SharedSnapshot
from triage.console.snapshot import Snapshot

_CSS = Path(__file__).with_name("console.css")
_REFRESH_S = 2.0
_FIRST_PAINT_S = 1.5


def page_for(shared: SharedSnapshot) -> Callable[[], Awaitable[None]]:
    """The builder of one client's page: it comes with data unless reading takes long."""

    async def page() -> None:
        snapshot = await shared.within(_FIRST_PAINT_S)
        ui.add_css(_CSS.read_text("utf-8"))
        view = View()
        view.show(snapshot)

        async def refresh() -> None:
            view.show(await shared.current())

        ui.timer(_REFRESH_S, refresh)

    return page


class View:
    """The parts of one open page that change."""

    def __init__(self) -> None:
        with ui.element("header").classes("top"):
            ui.html('<span class="brand"><i aria-hidden="true"></i>triage</span>', tag="h1", sanitize=False)
            self._status = ui.html("", sanitize=False).classes("status")
        with ui.element("main").classes("page"):
            self._banner = ui.html("", sanitize=False).classes("whole").props('aria-live="assertive"')
            with _section("figures", "Figures", "whole bare", hidden=True):
                self._tiles = ui.html("", sanitize=False)
            with _section("over-time", "Sentiment over time", "wide"):
                self._caption = ui.html("", tag="p", sanitize=False).classes("caption")
                ui.html(fragments.legend(), sanitize=False).classes("corner")
                self._nothing = ui.html("", sanitize=False)
                self._timeline = _chart("chart tall", charts.sentiment_over_time(Snapshot(at_ms=0)))
            with _section("alerts", "Alerts", "narrow scrolls"):
                self._alerts = ui.html("", sanitize=False).props('aria-live="polite" tabindex="0"')
            with _section("records", "Latest feedback", "wide"):
                self._records = ui.html("", sanitize=False)
            with _section("intents", "Top intents", "narrow follows"):
                ui.html("by negative records, last 24 hours", tag="p", sanitize=False).classes("caption")
                self._no_intents = ui.html("", sanitize=False)
                self._intents = _chart("chart", charts.top_intents([]))

    def show(self, snapshot: Snapshot) -> None:
        """Send what changed; elements compare with what the client already has."""
        self._status.content = fragments.status(snapshot)
        self._banner.content = fragments.banner(snapshot)
        self._caption.content = fragments.over_time_caption(snapshot)
        self._tiles.content = fragments.tiles(snapshot)
        self._alerts.content = fragments.alerts(snapshot)
        self._records.content = fragments.records(snapshot)
        self._nothing.content = self._no_intents.content = fragments.nothing_to_chart(snapshot)
        self._timeline.visible = self._intents.visible = not snapshot.empty
        _draw(self._timeline, charts.sentiment_over_time(snapshot), charts.timeline_in_words(snapshot))
        _draw(self._intents, charts.top_intents(snapshot.intents), charts.intents_in_words(snapshot.intents))


def _section(name: str, title: str, classes: str, *, hidden: bool = False) -> ui.element:
    section = ui.element("section").classes(f"card {classes}").props(f'aria-labelledby="{name}-title"')
    with section:
        ui.html(title, tag="h2", sanitize=False).props(f'id="{name}-title"').classes("unseen" if hidden else "")
    return section


def _chart(classes: str, options: charts.Options) -> ui.echart:
    return ui.echart(options, renderer="svg").classes(classes).props('role="img"')


def _draw(chart: ui.echart, options: charts.Options, words: str) -> None:
    if chart.props.get("aria-label") != words:
        chart.props["aria-label"] = words
    if chart.options != options:
        chart.options.clear()
        chart.options.update(options)
        chart.update()
