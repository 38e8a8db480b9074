"""Finds values that are significantly more frequent in a window than in the days before. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from triage.schemas.alert import Share

LEAST_COUNT = 3
LEAST_RATIO = 1.5
# Shares of fewer records are too uncertain as a baseline.
LEAST_BASELINE = 50
LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Sample:
    """Number of records in a set, and the number of them in which each value of a field occurs.

    `counts` is by value; a record may have several values or none, so the counts need not add up to `total`.
    """

    total: int
    counts: Mapping[str, int]


def over_represented(window: Sample, baseline: Sample, *, tested: int | None = None, size: int = 5) -> list[Share]:
    """At most `size` values, most surprising first, each with the count to expect from its share in the baseline.

    Fisher's exact test, one-sided, for each value that `window` has at least LEAST_COUNT times; Holm's correction keeps
    the chance of any false claim below LEVEL, also if values are correlated. `tested` is the number of candidates, if
    `window` has only a part of them. A value must also be LEAST_RATIO times as frequent as before: in large windows
    even a difference of 10 % is significant, but of no use to a reader.
    """
    if baseline.total < LEAST_BASELINE or not window.total:
        return []
    found = []
    for value, count in window.counts.items():
        if count < LEAST_COUNT:
            continue
        before = baseline.counts.get(value, 0)
        expected = window.total * before / baseline.total
        found.append((log_tail(count, window.total, before, baseline.total), count, expected, value))
    family = max(tested or 0, len(found))
    found.sort(key=lambda one: (one[0], -one[1], one[3]))
    claimed = []
    for rank, (log_p, count, expected, value) in enumerate(found):
        if log_p > math.log(LEVEL / (family - rank)):
            break
        if count >= LEAST_RATIO * expected:
            claimed.append(Share(value, count, round(expected, 2)))
    return claimed[:size]


def log_tail(count: int, total: int, before: int, before_total: int) -> float:
    """Logarithm of Fisher's one-sided p: the chance of `count` or more if both samples have the value equally often.

    The value is in `count` of the window's `total` records and in `before` of the baseline's `before_total`; `count <=
    total` and `before <= before_total`. It is the tail of the hypergeometric distribution, summed in logarithms.
    """
    having, everything = count + before, total + before_total
    if count <= total * having / everything:
        return 0.0
    first = (
        _log_choose(having, count) + _log_choose(everything - having, total - count) - _log_choose(everything, total)
    )
    # Above the mean every term is smaller than the one before it.
    summed, term = 1.0, 1.0
    for at in range(count, min(total, having)):
        term *= (having - at) * (total - at) / ((at + 1) * (everything - having - total + at + 1))
        summed += term
        if term < 1e-15 * summed:
            break
    return min(first + math.log(summed), 0.0)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
