"""Backoff doubles up to its bound and spreads out."""

import itertools
import random

from triage.retries.backoff import backoff


def test_waits_double_up_to_the_bound_with_jitter():
    waits = list(itertools.islice(backoff(1, 8, rng=random.Random(1)), 8))
    for wait, full in zip(waits, [1, 2, 4, 8, 8, 8, 8, 8], strict=True):
        assert full / 2 <= wait <= full
    assert len(set(waits)) == len(waits)
