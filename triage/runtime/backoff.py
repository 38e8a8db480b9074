"""Waits between retries."""

import random
from collections.abc import Iterator


def backoff(initial_s: float, max_s: float, *, rng: random.Random | None = None) -> Iterator[float]:
    """Endless waits in seconds: doubling up to `max_s`, each drawn from its upper half so that a fleet spreads out."""
    draw = rng or random.Random()  # noqa: S311 - jitter, not a secret
    wait = initial_s
    while True:
        yield draw.uniform(wait / 2, wait)
        wait = min(wait * 2, max_s)
