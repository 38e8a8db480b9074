import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.inference.batching import Batch, fill_ratio, plan_batches

LENGTHS = st.lists(st.integers(0, 600), max_size=200)
WIDTHS = st.sampled_from([(), (8, 12, 16, 32, 64, 128, 256), (100,), tuple(range(1, 513))])
BUDGETS, STREAMS = st.integers(1, 3000), st.integers(1, 8)


def indices(batches):
    return [batch.indices.tolist() for batch in batches]


@given(LENGTHS, BUDGETS, WIDTHS, STREAMS)
def test_every_text_is_in_exactly_one_batch_that_holds_it(lengths, budget, widths, streams):
    batches = plan_batches(lengths, budget, widths=widths, streams=streams)
    assert sorted(index for found in indices(batches) for index in found) == list(range(len(lengths)))
    for batch in batches:
        assert 0 < len(batch.indices) <= batch.rows
        assert max(lengths[index] for index in batch.indices) <= batch.width


@given(LENGTHS, BUDGETS, WIDTHS, STREAMS)
def test_only_a_batch_of_one_text_exceeds_the_budget(lengths, budget, widths, streams):
    for batch in plan_batches(lengths, budget, widths=widths, streams=streams):
        assert len(batch.indices) == 1 or batch.rows * batch.width <= budget


@given(LENGTHS, BUDGETS)
def test_no_batch_has_room_for_another_text(lengths, budget):
    for batch in plan_batches(lengths, budget)[:-1]:
        assert (batch.rows + 1) * batch.width > budget


@given(LENGTHS, BUDGETS, STREAMS)
def test_given_widths_limit_the_shapes(lengths, budget, streams):
    widths = (16, 64, 256, 600)
    shapes = {batch[1:] for batch in plan_batches(lengths, budget, widths=widths, streams=streams)}
    assert all(rows.bit_count() == 1 and width in widths for rows, width in shapes)


def test_texts_of_one_length_keep_their_order():
    assert indices(plan_batches([4, 4, 4, 9], 8)) == [[3], [0, 1], [2]]


def test_a_text_longer_than_the_budget_is_a_batch_of_its_own():
    assert indices(plan_batches([3, 500, 3, 400], 64)) == [[1], [3], [0, 2]]


def test_a_text_longer_than_all_widths_gets_its_own_width():
    assert [batch[1:] for batch in plan_batches([700, 5], 64, widths=(8, 16))] == [(1, 700), (1, 8)]


def test_few_texts_are_divided_among_the_streams():
    assert indices(plan_batches([40] * 4, 1024, streams=2)) == [[0, 1], [2, 3]]
    assert indices(plan_batches([10] * 4, 1024, streams=2)) == [[0, 1, 2, 3]]


def test_no_texts_make_no_batches():
    assert plan_batches([], 100) == []
    assert plan_batches([], 100, widths=(8,), streams=2) == []
    assert fill_ratio([], []) == 1.0


def test_budget_must_be_positive():
    with pytest.raises(ValueError, match="at least 1 token"):
        plan_batches([1], 0)


def test_fill_ratio_counts_padding():
    assert fill_ratio([2, 4], [Batch(np.array([1, 0]), 2, 4)]) == pytest.approx(6 / 8)
    assert fill_ratio([2, 4], [Batch(np.array([1]), 1, 4), Batch(np.array([0]), 1, 2)]) == 1.0
    assert fill_ratio([2], [Batch(np.array([0]), 2, 4)]) == pytest.approx(2 / 8)
