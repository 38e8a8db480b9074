"""Shares a limited number of records between partitions, so that a backlog in one does not delay the others."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)


def take_fairly(
    takers: Mapping[_Key, Callable[[int], int]], limit: int, weight_of: Callable[[_Key], int] = lambda _: 1
) -> None:
    """Take up to `limit` records in total from the partitions, from each in proportion to its weight.

    `takers` has a function for each partition: called with a number, it takes up to that many records and returns how
    many it took. The unused share of a partition is divided among the others, so that the limit is reached while any of
    them has records. If the limit is less than the number of partitions, the first ones are served.
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
