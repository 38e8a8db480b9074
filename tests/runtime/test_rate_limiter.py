"""Token buckets: never more than the rate in any stretch of time, waits that hold, pauses that are asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.clock import ManualClock
from triage.runtime.rate_limiter import Rate, RateLimiter, TokenBucket

STEPS = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), min_size=1, max_size=40)


@given(STEPS)
def test_what_is_granted_never_exceeds_the_rate(steps):
    clock = ManualClock(0)
    limiter, granted, elapsed = RateLimiter(Rate(60, 1), clock), 0, 0.0
    for seconds, records in steps:
        clock.advance(seconds)
        elapsed += seconds
        wait_s = limiter.take("a", records)
        granted += records if wait_s == 0 else 0
        assert wait_s >= 0
        assert granted <= 60 + elapsed + 1e-6


@given(st.integers(1, 500))
def test_after_the_wait_that_was_named_it_is_granted(records):
    clock = ManualClock(0)
    limiter = RateLimiter(Rate(60, 1), clock)
    assert limiter.take("a", 60) == 0
    wait_s = limiter.take("a", records)
    assert wait_s > 0
    clock.advance(wait_s)
    assert limiter.take("a", records) == 0


def test_callers_do_not_share():
    limiter = RateLimiter(Rate(2, 2 / 60), ManualClock(0))
    assert [limiter.take(name, 2) for name in "ab"] == [0, 0]
    assert limiter.take("a", 1) == 30


@settings(max_examples=60)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 5), st.floats(0.1, 5))
def test_no_stretch_has_more_than_the_rate(gaps, burst, per_s):
    clock = ManualClock()
    bucket = TokenBucket(Rate(burst, per_s), clock)
    times = []
    for gap in gaps:
        clock.advance(gap)
        times.append(clock.monotonic() + bucket.reserve())
    assert times == sorted(times), "first come, first served"
    for first in range(len(times)):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + (times[last] - times[first]) * per_s + 1e-6


def test_without_a_rate_only_pauses_count():
    clock = ManualClock()
    bucket = TokenBucket(None, clock)
    assert [bucket.reserve() for _ in range(100)] == [0.0] * 100
    bucket.pause(30)
    bucket.pause(5)
    clock.advance(10)
    assert bucket.reserve() == 20
    clock.advance(20)
    assert bucket.reserve() == 0
