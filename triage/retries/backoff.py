"""Computes the waits between retries."""

import random
from collections.abc import Iterator


def backoff(initial_s: float, max_s: float, *, rng: random.Random | None = None) -> Iterator[float]:
    """Yield endlessly the number of seconds to wait before each retry.

    The upper limit starts at `initial_s` and doubles up to `max_s`; each wait is drawn at random between half the limit
    and the limit, so that the processes of a fleet do not retry at the same time.
    """
    draw = rng or random.Random()  # noqa: S311 - jitter, not a secret
    wait = initial_s
    while True:
        yield draw.uniform(wait / 2, wait)
        wait = min(wait * 2, max_s)
