"""Token buckets: never more than the rate in any stretch of time, and pauses that are asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from triage.alerting.notifiers.rate import Rate, TokenBucket
from triage.clock import ManualClock


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
