"""Tests whether a group of records is more frequent than before, for many groups at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

LEVEL = 0.05
"""Probability that a run without any change reports a topic."""
FEWEST_RECORDS = 8
LEAST_LIFT = 2.0


@dataclass(frozen=True)
class Comparison:
    """A group: its records in the newest week and before, and the ratio of its shares of all records then (`lift`).

    `p` is the probability of so many new records by chance, corrected for the number of groups.
    """

    records: int
    before: int
    lift: float
    p: float

    @property
    def emerging(self) -> bool:
        return self.p <= LEVEL and self.records >= FEWEST_RECORDS and self.lift >= LEAST_LIFT


def compare_groups(groups: Sequence[NDArray[np.int64]], weeks: NDArray[np.int64]) -> list[Comparison]:
    """Test groups, given as indices of rows; `weeks` [rows] is 0 for the newest week and 1, 2, ... for those before it.

    The number of new records in a group is compared with a draw without replacement (hypergeometric). Weeks that
    differ among one another more than such draws do weaken all counts alike. The probability is Bonferroni's for all
    groups.
    """
    new, total = int((weeks == 0).sum()), len(weeks)
    if not groups or not new or new == total:
        return []
    spread = dispersion(groups, weeks)
    found = []
    for rows in groups:
        records, size = int((weeks[rows] == 0).sum()), len(rows)
        before = size - records
        share, share_before = records / new, max(before, 0.5) / (total - new)
        p = float(
            hypergeom.sf(
                np.floor(records / spread) - 1,
                max(1, round(total / spread)),
                max(1, round(size / spread)),
                max(1, round(new / spread)),
            )
        )
        found.append(Comparison(records, before, share / share_before, min(1.0, p * len(groups))))
    return found


def dispersion(groups: Sequence[NDArray[np.int64]], weeks: NDArray[np.int64]) -> float:
    """Pearson's chi-square per degree of freedom of the groups' counts over the weeks before the newest; 1 or more."""
    before = sorted(set(weeks.tolist()) - {0})
    if len(before) < 2:
        return 1.0
    totals = np.array([(weeks == week).sum() for week in before], float)
    shares = totals / totals.sum()
    squares = degrees = 0.0
    for rows in groups:
        counts = np.array([(weeks[rows] == week).sum() for week in before], float)
        expected = counts.sum() * shares
        if expected.min() >= 1:
            squares += float(((counts - expected) ** 2 / expected).sum())
            degrees += len(before) - 1
    return max(1.0, squares / degrees) if degrees else 1.0
