import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference.batching import fill_ratio, plan_batches

LENGTHS = st.lists(st.integers(0, 600), max_size=200)


@given(LENGTHS, st.integers(1, 3000))
def test_every_text_is_in_exactly_one_batch(lengths, budget):
    batches = plan_batches(lengths, budget)
    assert sorted(index for batch in batches for index in batch.tolist()) == list(range(len(lengths)))
    assert all(len(batch) for batch in batches)


@given(LENGTHS, st.integers(1, 3000))
def test_no_batch_is_over_budget_unless_it_is_one_text(lengths, budget):
    sizes = np.asarray(lengths, np.int64)
    for batch in plan_batches(lengths, budget):
        assert len(batch) == 1 or len(batch) * sizes[batch].max() <= budget


@given(LENGTHS, st.integers(1, 3000))
def test_no_batch_could_take_the_longest_text_of_the_next(lengths, budget):
    sizes = np.asarray(lengths, np.int64)
    batches = plan_batches(lengths, budget)
    for batch in batches[:-1]:
        assert (len(batch) + 1) * max(sizes[batch].max(), 1) > budget


def test_texts_of_one_length_keep_their_order():
    assert [batch.tolist() for batch in plan_batches([4, 4, 4, 9], 8)] == [[3], [0, 1], [2]]


def test_a_text_longer_than_the_budget_goes_alone():
    assert [batch.tolist() for batch in plan_batches([3, 500, 3, 400], 64)] == [[1], [3], [0, 2]]


def test_nothing_to_do():
    assert plan_batches([], 100) == []
    assert fill_ratio([], []) == 1.0


def test_budget_must_be_positive():
    with pytest.raises(ValueError, match="at least 1 token"):
        plan_batches([1], 0)


def test_fill_ratio_counts_padding():
    assert fill_ratio([2, 4], [np.array([0, 1])]) == pytest.approx(6 / 8)
    assert fill_ratio([2, 4], [np.array([0]), np.array([1])]) == 1.0
