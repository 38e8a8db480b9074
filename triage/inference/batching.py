"""Which texts go through the model together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEAST_SHARE = 64


class Batch(NamedTuple):
    """Texts of one call, longest first, and the shape that is computed for them: `rows` x `width` tokens."""

    indices: NDArray[np.int64]
    rows: int
    width: int


def plan_batches(lengths: ArrayLike, budget: int, *, widths: Sequence[int] = (), streams: int = 1) -> list[Batch]:
    """Split texts into batches of at most `budget` tokens, padding included: rows x width <= budget.

    `lengths` [texts] are in tokens. Texts are taken by length, longest first, so that padding is small and a
    runtime allocates its largest buffers at once; equal lengths keep their order. A text longer than the budget
    is a batch of its own. Every index is in exactly one batch.

    With `widths` (ascending) only these widths and powers of two as numbers of rows are planned, so that a runtime that
    makes code for each shape sees few; a text longer than all of them has its own width. Few texts are shared out among
    `streams` batches that are computed side by side.
    """
    if budget < 1:
        raise ValueError(f"budget must be at least 1 token, is {budget}")
    sizes = np.asarray(lengths, dtype=np.int64).reshape(-1)
    if streams > 1:
        budget = min(budget, max(-(-int(sizes.sum()) // streams), _LEAST_SHARE))
    order = np.argsort(-sizes, kind="stable")
    by_length = np.maximum(sizes[order], 1)
    if widths:
        grid = np.asarray(widths, dtype=np.int64)
        places = np.searchsorted(grid, by_length)
        by_length = np.where(places < len(grid), grid[np.minimum(places, len(grid) - 1)], by_length)
    batches = []
    start = 0
    while start < len(order):
        width = int(by_length[start])
        rows = max(budget // width, 1)
        if widths:
            rows = 1 << rows.bit_length() - 1
        taken = order[start : start + rows]
        computed = 1 << (len(taken) - 1).bit_length() if widths else len(taken)
        batches.append(Batch(taken, computed, width))
        start += rows
    return batches


def fill_ratio(lengths: ArrayLike, batches: Sequence[Batch]) -> float:
    """Useful tokens of all tokens that the model computes, 0 to 1; 1 without texts."""
    computed = sum(batch.rows * batch.width for batch in batches)
    return float(np.asarray(lengths, dtype=np.int64).sum()) / computed if computed else 1.0
