"""The chart as SVG for the console, in the console's colours."""

from datetime import UTC, tzinfo
from pathlib import Path

from markupsafe import Markup

from triage.alerting.chart.scale import HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw, span
from triage.schemas.alert import Chart
from triage.templating import Templates

_TEMPLATES = Templates(Path(__file__).parent)


def svg(chart: Chart, label: str, zone: tzinfo = UTC, lasted: tuple[int, int] | None = None) -> Markup:
    """Draw the chart as an SVG picture.

    `label` is the text for screen readers; times are shown in `zone`. `lasted` is the period to shade, as (start, end)
    in ms.
    """
    return _TEMPLATES.render(
        "chart.svg",
        drawing=draw(chart, zone),
        shaded=None if lasted is None else span(chart, *lasted),
        label=label,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
    )
