"""What a rule sees of a key in a closed window, and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleWindow:
    """What a rule sees of a key: `negative` of `total` records in the `window_ms` up to `end_ms`.

    `step_start_ms` is the start of the step that closed last; windows of a rule slide by steps. `late` of the records
    came after their step had been judged.
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
        """Negatives of all records, 0 when there are none."""
        return self.negative / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`expected` negatives of the window and `score` (higher is more surprising) where a spike detector judged.

    `causes` are those of `spike` and `static` that fired.
    """

    firing: bool
    expected: float | None = None
    score: float | None = None
    causes: tuple[str, ...] = ()
