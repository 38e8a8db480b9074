"""Shares a number of records among partitions: each that has records gets some, none more than its share."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)


def take_fairly(
    takers: Mapping[_Key, Callable[[int], int]], limit: int, weight_of: Callable[[_Key], int] = lambda _: 1
) -> None:
    """Take up to `limit` records in all, from each in proportion to its weight.

    A taker takes up to so many records and returns how many it had. What one leaves is shared among the others, so
    that nothing is left while any of them has records. Earlier ones come first where there are fewer records than
    takers.
    """
    active, left = list(takers), limit
    while left > 0 and active:
        total, round_limit = sum(map(weight_of, active)), left
        for key in list(active):
            share = min(left, max(1, round_limit * weight_of(key) // total))
            if not share:
                return
            taken = takers[key](share)
            left -= taken
            if taken < share:
                active.remove(key)
