"""Records a minute: never more than the bucket and what has flowed into it."""

from hypothesis import given
from hypothesis import strategies as st

from triage.clock import ManualClock
from triage.serving.rate_limiter import RateLimiter

STEPS = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), min_size=1, max_size=40)


@given(STEPS)
def test_what_is_granted_never_exceeds_the_rate(steps):
    clock = ManualClock(0)
    allowance, granted, elapsed = RateLimiter(60, clock), 0, 0.0
    for seconds, records in steps:
        clock.advance(seconds)
        elapsed += seconds
        wait_s = allowance.take("a", records)
        granted += records if wait_s == 0 else 0
        assert wait_s >= 0
        assert granted <= 60 + elapsed + 1e-6


@given(st.integers(1, 500))
def test_after_the_wait_that_was_named_it_is_granted(records):
    clock = ManualClock(0)
    allowance = RateLimiter(60, clock)
    assert allowance.take("a", 60) == 0
    wait_s = allowance.take("a", records)
    assert wait_s > 0
    clock.advance(wait_s)
    assert allowance.take("a", records) == 0


def test_callers_do_not_share():
    allowance = RateLimiter(2, ManualClock(0))
    assert [allowance.take(name, 2) for name in "ab"] == [0, 0]
    assert allowance.take("a", 1) == 30
