"""Share of alerts that were right, with a Wilson score interval. Pure."""

from dataclasses import dataclass

from triage.intervals import wilson


@dataclass(frozen=True, slots=True)
class Precision:
    """`right` of `n` assessed alerts were right; `low` and `high` are the ends of a 95 % interval of that share."""

    right: int
    n: int

    @property
    def share(self) -> float | None:
        """The share of assessed alerts that were right, 0 to 1; None without assessed alerts."""
        return self.right / self.n if self.n else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        return wilson(self.right, self.n)
