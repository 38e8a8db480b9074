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
    """One step: `x` to `x + width`, from `y` down to the axis. In pixels; `count` negatives."""

    x: float
    y: float
    width: float
    count: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Bars of observed counts, points of expected counts (in runs without gaps), labels of both axes."""

    bars: tuple[Bar, ...]
    runs: tuple[tuple[tuple[float, float], ...], ...]
    top: int
    times: tuple[tuple[float, str], ...]

    @property
    def base(self) -> float:
        return HEIGHT - BOTTOM


def draw(chart: Chart, zone: tzinfo = UTC) -> Drawing:
    """Lay a chart out on WIDTH x HEIGHT pixels; its arrays are of one length."""
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


def _times(chart: Chart, slot: float, zone: tzinfo) -> tuple[tuple[float, str], ...]:
    start_ms = parse_rfc3339(chart.start)
    shown = []
    for index in sorted({0, len(chart.observed) // 2, len(chart.observed)}):
        moment = from_ms(start_ms + index * chart.step_s * 1000).astimezone(zone)
        shown.append((LEFT + slot * index, f"{moment:%H:%M}"))
    return tuple(shown)


def _round_up(value: float) -> int:
    """The next number with one digit, or 15, and zeros."""
    power = 10 ** math.floor(math.log10(value))
    top: float = next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)
    return math.ceil(top)
