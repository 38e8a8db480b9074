"""Remembers counted records, so that a record that its source sends again with every change is counted only once.

Threads. Only the worker's own thread uses it, through the publisher.

State. It holds what was counted in committed transactions, up to a limit: the oldest entries are removed first. `begin`
discards what a failed transaction has counted, `commit` keeps it. Entries do not depend on the owner of a partition, so
they stay when partitions are revoked; a worker that takes over a partition does not have them.
"""

from collections.abc import Hashable
from typing import NamedTuple

_LIMIT = 200_000


class Increment(NamedTuple):
    """The numbers that one version of a record adds to a window count: 0 or 1 each."""

    negative: int
    total: int


class CountedUpdates:
    """Remembers which records, of sources that send updates, were counted in which window and key.

    It uses a few tens of megabytes at most. A window and key counts all versions of a record as one in total, and as
    one negative if any version is negative. So the sums do not depend on how versions are divided into batches.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        # By the hash of record, window and key: True if it was counted as negative.
        self._counted: dict[int, bool] = {}
        self._pending: dict[int, bool] = {}

    def begin(self) -> None:
        """Start counting for a transaction, including one that is repeated after a failure."""
        self._pending.clear()

    def commit(self) -> None:
        """Keep what was counted since `begin`, because the transaction was committed."""
        self._counted |= self._pending
        self._pending.clear()
        for oldest in list(self._counted)[: max(0, len(self._counted) - self._limit)]:
            del self._counted[oldest]

    def count(self, identity: str, window_and_key: Hashable, *, negative: bool) -> Increment:
        """Return how much one more version of the record `identity` adds to the count of this window and key.

        `negative` is True if this version is negative.
        """
        entry = hash((identity, window_and_key))
        before = self._pending.get(entry, self._counted.get(entry))
        if before is None or negative > before:
            self._pending[entry] = negative
        return Increment(int(negative and not before), int(before is None))
