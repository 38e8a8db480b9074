"""Groups texts into padded batches within a budget of tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

_LEAST_SHARE = 64
"""Tokens of a batch below which texts are not divided among streams: a smaller call costs more than it saves."""


class Batch(NamedTuple):
    """Texts of one model call: their indices, longest first, and the padded shape of `rows` x `width` tokens."""

    indices: NDArray[np.int64]
    rows: int
    width: int


def plan_batches(lengths: ArrayLike, budget: int, *, widths: Sequence[int] = (), streams: int = 1) -> list[Batch]:
    """Split texts into batches of at most `budget` tokens, padding included: rows x width <= budget.

    `lengths` [texts] are in tokens. Texts are sorted by length, longest first: this keeps padding small and lets a
    runtime allocate its largest buffers in the first call. Texts of equal length keep their order. A text longer than
    the budget is a batch of its own. Every index is in exactly one batch.

    `widths` (ascending) restricts batches to these widths, and to powers of two as numbers of rows, for runtimes that
    compile code for every shape; a text longer than all of them gets its own width. If there would be fewer batches
    than `streams`, the number of batches that a runtime computes at the same time, they are divided further. Raises
    ValueError for a budget below 1.
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
    """Share of the tokens computed in `batches` that are not padding, 0 to 1; 1 without texts.

    `lengths` [texts] are in tokens.
    """
    computed = sum(batch.rows * batch.width for batch in batches)
    return float(np.asarray(lengths, dtype=np.int64).sum()) / computed if computed else 1.0
