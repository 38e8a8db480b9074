"""Confidence intervals of shares."""

from math import sqrt

_Z = 1.959964  # 95 %


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return the ends, from 0 to 1, of Wilson's 95 % score interval of the share `count` / `n`; (0, 1) for n = 0.

    Unlike the normal interval it is sound for small n and for shares of 0 and 1 (Wilson 1927).
    """
    if not n:
        return 0.0, 1.0
    share, square = count / n, _Z * _Z
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = _Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
