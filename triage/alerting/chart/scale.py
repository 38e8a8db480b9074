"""Geometry of a chart, for SVG and PNG: positions of its bars, its line and its labels."""

import math
from dataclasses import dataclass
from datetime import UTC, tzinfo

from triage.clock import from_ms, parse_rfc3339
from triage.schemas.alert import Chart

WIDTH, HEIGHT = 480, 132
LEFT, RIGHT, TOP, BOTTOM = 30, 8, 10, 18


@dataclass(frozen=True, slots=True)
class Bar:
    """The bar of one step in a chart: from `x` to `x + width`, and from `y` down to the axis, in pixels.

    `count` is the step's number of negatives.
    """

    x: float
    y: float
    width: float
    count: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Layout of a chart in pixels: bars of observed counts, a line of expected counts, labels of both axes.

    `runs` are the points (x, y) of the line, split at gaps. `top` is the count at the top of the axis. `times` are the
    labels of the time axis, as (x, text).
    """

    bars: tuple[Bar, ...]
    runs: tuple[tuple[tuple[float, float], ...], ...]
    top: int
    times: tuple[tuple[float, str], ...]

    @property
    def base(self) -> float:
        return HEIGHT - BOTTOM


def draw(chart: Chart, zone: tzinfo = UTC) -> Drawing:
    """Compute the layout of a chart on WIDTH x HEIGHT pixels. Times are labelled in `zone`."""
    known = [value for value in chart.expected if value is not None]
    top = _round_up(max([*chart.observed, *known, 1]))
    steps = max(len(chart.observed), 1)
    slot = (WIDTH - LEFT - RIGHT) / steps
    base = HEIGHT - BOTTOM

    def y(value: float) -> float:
        return base - (base - TOP) * value / top

    bars = tuple(
        Bar(LEFT + slot * index + slot * 0.12, y(count), slot * 0.76, count)
        for index, count in enumerate(chart.observed)
    )
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(chart.expected):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((LEFT + slot * (index + 0.5), y(value)))
    return Drawing(bars, tuple(tuple(run) for run in runs if run), top, _times(chart, slot, zone))


def span(chart: Chart, start_ms: int, end_ms: int) -> tuple[float, float] | None:
    """Left edge and width in pixels of the visible part of [start_ms, end_ms) on the chart.

    None if none of it is visible.
    """
    first_ms, steps = parse_rfc3339(chart.start), max(len(chart.observed), 1)
    per_ms = (WIDTH - LEFT - RIGHT) / (steps * chart.step_s * 1000)
    left, right = (min(max((at - first_ms) * per_ms, 0), WIDTH - LEFT - RIGHT) for at in (start_ms, end_ms))
    return (LEFT + left, right - left) if right > left else None


def _times(chart: Chart, slot: float, zone: tzinfo) -> tuple[tuple[float, str], ...]:
    start_ms = parse_rfc3339(chart.start)
    shown = []
    for index in sorted({0, len(chart.observed) // 2, len(chart.observed)}):
        moment = from_ms(start_ms + index * chart.step_s * 1000).astimezone(zone)
        shown.append((LEFT + slot * index, f"{moment:%H:%M}"))
    return tuple(shown)


def _round_up(value: float) -> int:
    """Round up to 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten, and then to a whole number."""
    power = 10 ** math.floor(math.log10(value))
    top: float = next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)
    return math.ceil(top)
