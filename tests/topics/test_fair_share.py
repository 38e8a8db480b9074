"""A number of records, shared among partitions by what they have and by their weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.topics.fair_share import take_fairly


def taken(has, limit, weights=None):
    """How many records of each are taken."""
    found = dict.fromkeys(has, 0)

    def taker(key):
        def take(share):
            count = min(share, has[key] - found[key])
            found[key] += count
            return count

        return take

    take_fairly({key: taker(key) for key in has}, limit, lambda key: (weights or {}).get(key, 1))
    return found


@pytest.mark.parametrize(
    ("has", "limit", "weights", "expected"),
    [
        ({"a": 8_000, "b": 120}, 512, {}, {"a": 392, "b": 120}),
        ({"a": 8_000, "b": 800}, 512, {}, {"a": 256, "b": 256}),
        ({"a": 8_000, "b": 800}, 512, {"b": 3}, {"a": 128, "b": 384}),
        ({"a": 8_000}, 512, {}, {"a": 512}),
        ({"a": 9, "b": 9, "c": 9}, 2, {}, {"a": 1, "b": 1, "c": 0}),
        ({"a": 9, "b": 0}, 4, {"b": 1_000}, {"a": 4, "b": 0}),
        ({}, 4, {}, {}),
    ],
)
def test_shares(has, limit, weights, expected):
    assert taken(has, limit, weights) == expected


@given(
    st.dictionaries(st.integers(0, 9), st.integers(0, 50)),
    st.integers(1, 100),
    st.dictionaries(st.integers(0, 9), st.integers(1, 1_000)),
)
def test_nothing_is_left_while_there_is_room(has, limit, weights):
    found = taken(has, limit, weights)
    assert sum(found.values()) == min(limit, sum(has.values()))
