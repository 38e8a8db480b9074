"""NiceGUI elements that several pages have."""

from markupsafe import Markup, escape
from nicegui import ui

from triage.console.web.charts import Options
from triage.console.web.fragments import NOTHING


class Html(ui.html):
    """An element whose content is HTML; it takes only Markup, so that no unescaped text gets into a page."""

    def __init__(self, content: Markup = NOTHING, tag: str = "div") -> None:
        super().__init__(str(content), tag=tag, sanitize=False)

    def show(self, content: Markup) -> None:
        """Replace the content; the client is sent what has changed."""
        self.content = str(content)


def text(content: str, tag: str = "p") -> Html:
    """An element `tag` with escaped text; Markup is taken as it is."""
    return Html(escape(content), tag)


def section(name: str, title: str, classes: str = "", *, hidden: bool = False) -> ui.element:
    """A card with a heading that names it, to be used as a context; a `hidden` heading is for screen readers only."""
    card = ui.element("section").classes(f"card {classes}").props(f'aria-labelledby="{name}-title" id="{name}"')
    with card:
        text(title, "h2").props(f'id="{name}-title"').classes("unseen" if hidden else "")
    return card


def chart(classes: str, options: Options) -> ui.echart:
    """An ECharts drawing, which screen readers treat as one image; `update_chart` sets its description."""
    return ui.echart(options, renderer="svg").classes(classes).props('role="img"')


def update_chart(drawn: ui.echart, options: Options, description: str) -> None:
    """Replace a chart's options and its description for screen readers; nothing is sent if neither has changed."""
    if drawn.props.get("aria-label") != description:
        drawn.props["aria-label"] = description
    if drawn.options != options:
        drawn.options.clear()
        drawn.options.update(options)
        drawn.update()


def chart_table(label: str) -> Html:
    """A collapsed element for the table of a chart, titled `label`; an update keeps it open or closed."""
    with ui.element("details").classes("as-table"):
        text(label, "summary")
        return Html().classes("scroll-table")
