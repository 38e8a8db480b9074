"""Input and result of a rule's evaluation for one key: `RuleWindow` and `Verdict`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleWindow:
    """Counts of one key in a rule's window: `negative` of `total` records in the `window_ms` that end at `end_ms`.

    `step_start_ms` is the start of the last closed step; windows move forward by steps. `late` of the records arrived
    after their step had been evaluated.
    """

    rule: str
    key: str
    dimensions: Mapping[str, str]
    step_start_ms: int
    end_ms: int
    window_ms: int
    negative: int
    total: int
    late: int = 0

    @property
    def share(self) -> float:
        """Share of negatives among all records of the window, 0 to 1; 0 without records."""
        return self.negative / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of evaluating a rule on one key at one step. `causes` names what fired: `spike`, `static` or both.

    `expected` (negatives of the window) and `score` (higher is more surprising) come from a spike detector; None
    without one.
    """

    firing: bool
    expected: float | None = None
    score: float | None = None
    causes: tuple[str, ...] = ()
