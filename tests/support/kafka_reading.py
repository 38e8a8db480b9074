"""Reads topics with few records through any consumer."""

import time
from collections.abc import Callable
from typing import Any

EACH = 100
"""Records in each partition of the topics that tests read."""


def read(poll: Callable[[], Any], counts: dict[Any, int], until_s: float, enough: int = 2 * EACH) -> dict[Any, int]:
    """Poll until `enough` records were read in all, or for so long."""
    until = time.monotonic() + until_s
    while sum(counts.values()) < enough and time.monotonic() < until:
        for partition, records in poll().items():
            counts[partition] = counts.get(partition, 0) + len(records)
    return counts
