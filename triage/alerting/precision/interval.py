"""Share of alerts that were right, with a Wilson score interval. Pure."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.959964  # 95 %


@dataclass(frozen=True, slots=True)
class Precision:
    """`right` of `n` assessed alerts were right; `low` and `high` are the ends of a 95 % interval of that share."""

    right: int
    n: int

    @property
    def share(self) -> float | None:
        """The share that was right; None without assessed alerts."""
        return self.right / self.n if self.n else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        """Wilson's interval, which unlike the normal one is sound for few alerts and for shares of 0 and 1."""
        if not self.n:
            return 0.0, 1.0
        share, square = self.right / self.n, _Z * _Z
        centre = (share + square / (2 * self.n)) / (1 + square / self.n)
        half = _Z / (1 + square / self.n) * sqrt(share * (1 - share) / self.n + square / (4 * self.n * self.n))
        return max(0.0, centre - half), min(1.0, centre + half)
