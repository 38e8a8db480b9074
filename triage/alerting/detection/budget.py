"""Budget of false alerts: how many per week a rule may raise, in total or for each of its keys."""

import re
from dataclasses import dataclass

_TEXT = re.compile(r"(\d+(?:\.\d+)?) (?:a|per) (day|week|month)( (?:a|per) key)?")
_WEEKS = {"day": 1 / 7, "week": 1.0, "month": 365.25 / 84}
_MOST = 1000.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Accepted false alerts per week: for each key (`each_key`), or for all keys of a rule together."""

    per_week: float
    each_key: bool = False

    def part(self, share: float) -> "Budget":
        """Return the budget for a detector with this share (0 to 1) of the keys; a budget per key stays the same."""
        return self if self.each_key else Budget(self.per_week * share)

    def in_all(self, keys: int) -> float:
        """Accepted false alerts per week in total, for this number of keys."""
        return self.per_week * keys if self.each_key else self.per_week


def parse_budget(text: str) -> Budget:
    """Parse a budget of false alerts: `1 a week`, `2 a month` or `0.005 a week per key`.

    The number must be above 0 and at most 1000. Raises ValueError for any other text.
    """
    found = _TEXT.fullmatch(" ".join(text.split()))
    if found is None or not 0 < float(found[1]) <= _MOST:
        raise ValueError(
            f"is a number of false alerts, as 1 a week, 2 a month, or 0.005 a week per key, up to 1000, not {text!r}"
        )
    return Budget(float(found[1]) / _WEEKS[found[2]], found[3] is not None)
