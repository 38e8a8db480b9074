"""NiceGUI elements that several pages use."""

from collections.abc import Callable
from urllib.parse import quote

from markupsafe import Markup, escape
from nicegui import ui
from nicegui.events import GenericEventArguments

from triage.clock import MINUTE_MS
from triage.console.web.charts import Options
from triage.console.web.fragments import NOTHING


class Html(ui.html):
    """An element with HTML content; it accepts only Markup, so that no unescaped text gets into a page."""

    def __init__(self, content: Markup = NOTHING, tag: str = "div") -> None:
        super().__init__(str(content), tag=tag, sanitize=False)

    def show(self, content: Markup) -> None:
        """Replace the content; only a changed content is sent to the client."""
        self.content = str(content)


def text(content: str, tag: str = "p") -> Html:
    """Create an element `tag` with escaped text; Markup is not escaped."""
    return Html(escape(content), tag)


def section(name: str, title: str, classes: str = "", *, hidden: bool = False) -> ui.element:
    """Create a card with the id `name` and a heading, to be used as a context manager.

    A `hidden` heading is only for screen readers.
    """
    card = ui.element("section").classes(f"card {classes}").props(f'aria-labelledby="{name}-title" id="{name}"')
    with card:
        text(title, "h2").props(f'id="{name}-title"').classes("unseen" if hidden else "")
    return card


def chart(classes: str, options: Options) -> ui.echart:
    """Create an ECharts chart with the CSS `classes`, which screen readers treat as one image.

    `update_chart` sets its description.
    """
    return ui.echart(options, renderer="svg").classes(classes).props('role="img"')


def zoomable(drawn: ui.echart, zoom: Callable[[int, int], str]) -> None:
    """Let a drag on a time chart open the URL `zoom(start_ms, end_ms)`, and a click on a band its alert.

    A band is that of an alert if it has a `key`. The times are whole minutes, which contain what was marked.
    """
    # The chart is there once it is drawn, and each drawing says "finished" again. While the brush is on, ECharts tells
    # of no click on a band: so it is found by its time.
    drawn.on(
        "chart:finished",
        _open_alert,
        js_handler=f"""() => {{
            const element = getElement({drawn.id}), chart = element.chart;
            if (chart.canZoom) return;
            chart.canZoom = true;
            const brushOption = {{ brushType: "lineX", brushMode: "single" }};
            chart.dispatchAction({{ type: "takeGlobalCursor", key: "brush", brushOption }});
            chart.getZr().on("click", (event) => {{
                const at = chart.convertFromPixel({{ xAxisIndex: 0 }}, event.offsetX);
                const bands = element.options.series[0].markArea.data;
                const band = bands.find(([start, end]) => start.key && start.xAxis <= at && at <= end.xAxis);
                if (band) emit(band[0].key);
            }});
        }}""",
    )

    def marked(event: GenericEventArguments) -> None:
        start, end = sorted(int(ms) for ms in event.args)
        ui.navigate.to(zoom(start // MINUTE_MS * MINUTE_MS, -(-end // MINUTE_MS) * MINUTE_MS))

    drawn.on("chart:brushEnd", marked, js_handler="(event) => event.areas.length && emit(event.areas[0].coordRange)")


def opens_alert(drawn: ui.echart) -> None:
    """Let a click on a row of a chart open an alert: the one whose dedup key is the `key` of the row's series."""
    drawn.on(
        "chart:finished",
        _open_alert,
        js_handler=f"""() => {{
            const element = getElement({drawn.id}), chart = element.chart;
            if (chart.opens) return;
            chart.opens = true;
            chart.getZr().on("click", ({{ offsetX, offsetY }}) => {{
                const [, row] = chart.convertFromPixel({{ xAxisIndex: 0, yAxisIndex: 0 }}, [offsetX, offsetY]);
                const key = element.options.series[row]?.key;
                if (key) emit(key);
            }});
        }}""",
    )


def _open_alert(event: GenericEventArguments) -> None:
    """Go to the page of the alert whose key was sent."""
    ui.navigate.to(f"alerts/{quote(str(event.args), safe='')}")


def update_chart(drawn: ui.echart, options: Options, description: str) -> None:
    """Replace a chart's options and its description for screen readers; nothing is sent if neither has changed."""
    if drawn.props.get("aria-label") != description:
        drawn.props["aria-label"] = description
    if drawn.options != options:
        drawn.options.clear()
        drawn.options.update(options)
        drawn.update()


def chart_table(label: str) -> Html:
    """Create a collapsed element for the table of a chart, titled `label`; an update does not open or close it."""
    with ui.element("details").classes("as-table"):
        text(label, "summary")
        return Html().classes("scroll-table")
