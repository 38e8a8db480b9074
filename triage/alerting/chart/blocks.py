"""Charts of block characters, for receivers that cannot show pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from triage.schemas.alert import Chart

_BLOCKS = "▁▂▃▄▅▆▇█"
STEPS = 24


@dataclass(frozen=True, slots=True)
class Blocks:
    """A chart as two texts of block characters on one scale: observed and expected counts, one character per step.

    `expected` is None if no expected count is known. `step_s` is the length of a step in seconds; `last` and
    `last_expected` are the counts of the last step.
    """

    observed: str
    expected: str | None
    step_s: int
    last: int
    last_expected: float | None


def blocks(chart: Chart, steps: int = STEPS) -> Blocks:
    """Draw the last `steps` steps of a chart with block characters."""
    observed, expected = chart.observed[-steps:], chart.expected[-steps:]
    known = [value for value in expected if value is not None]
    top = max([*observed, *known, 0])
    return Blocks(
        observed=sparkline(observed, top),
        expected=sparkline(expected, top) if known else None,
        step_s=chart.step_s,
        last=observed[-1] if observed else 0,
        last_expected=expected[-1] if expected else None,
    )


def sparkline(values: Sequence[float | None], top: float) -> str:
    """Draw values from 0 to `top` as block characters, one per value: `▁▁▂▇█`.

    A space stands for an unknown value. Any value above 0 looks different from 0.
    """
    if top <= 0:
        return "".join(" " if value is None else _BLOCKS[0] for value in values)
    return "".join(" " if value is None else _BLOCKS[_height(value / top)] for value in values)


def _height(share: float) -> int:
    return min(max(math.ceil(share * (len(_BLOCKS) - 1)), 0), len(_BLOCKS) - 1)
