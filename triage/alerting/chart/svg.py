"""The chart as SVG: for the console, whose colours it takes."""

from html import escape

from triage.alerting.chart.scale import HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw
from triage.schemas.alert import Chart

_STYLE = (
    ".bar{fill:var(--negative,#c0392b)}.line{fill:none;stroke:var(--text,#222);stroke-width:1.6;stroke-dasharray:4 3}"
    ".axis{stroke:var(--line,#ccc)}text{fill:var(--muted,#555);font:11px system-ui,sans-serif}"
)


def svg(chart: Chart, label: str) -> str:
    """`label` is what a screen reader says."""
    drawing = draw(chart)
    bars = "".join(
        f'<rect class="bar" x="{bar.x:.1f}" y="{bar.y:.1f}" width="{bar.width:.1f}" '
        f'height="{drawing.base - bar.y:.1f}"><title>{bar.count}</title></rect>'
        for bar in drawing.bars
        if bar.count
    )
    lines = "".join(
        f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>' for run in drawing.runs
    )
    times = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="{_anchor(index, len(drawing.times))}">{text}</text>'
        for index, (x, text) in enumerate(drawing.times)
    )
    return (
        f'<svg class="alert-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}" '
        f'xmlns="http://www.w3.org/2000/svg"><style>{_STYLE}</style>'
        f'<line class="axis" x1="{LEFT}" y1="{TOP}" x2="{WIDTH - RIGHT}" y2="{TOP}" stroke-dasharray="1 3"/>'
        f'<line class="axis" x1="{LEFT}" y1="{drawing.base}" x2="{WIDTH - RIGHT}" y2="{drawing.base}"/>'
        f'<text x="{LEFT - 5}" y="{TOP + 4}" text-anchor="end">{drawing.top}</text>'
        f'<text x="{LEFT - 5}" y="{drawing.base}" text-anchor="end">0</text>{bars}{lines}{times}</svg>'
    )


def _anchor(index: int, count: int) -> str:
    return "start" if index == 0 else "end" if index == count - 1 else "middle"
