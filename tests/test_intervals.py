"""Wilson's interval against its definition: the shares that a two-sided test at 5 % does not reject."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.intervals import wilson


@given(st.integers(1, 10_000), st.data())
def test_the_ends_are_where_the_test_just_rejects(n, data):
    count = data.draw(st.integers(0, n))
    share = count / n
    for end in wilson(count, n):
        assert 0 <= end <= 1
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(1.959964 * sqrt(end * (1 - end) / n), rel=1e-6, abs=1e-7)


def test_nothing_counted_says_nothing():
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 10)[0] == pytest.approx(0)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
