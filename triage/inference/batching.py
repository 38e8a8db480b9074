"""Which texts go through the model together."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def plan_batches(lengths: ArrayLike, budget: int) -> list[NDArray[np.int64]]:
    """Split texts into batches of at most `budget` tokens, padding included: rows x longest row <= budget.

    `lengths` [texts] are in tokens. Texts are taken by length, longest first, so that padding is small and a
    runtime allocates its largest buffers at once; equal lengths keep their order. A text longer than the budget
    is a batch of its own. Every index is in exactly one batch.
    """
    if budget < 1:
        raise ValueError(f"budget must be at least 1 token, is {budget}")
    sizes = np.asarray(lengths, dtype=np.int64).reshape(-1)
    order = np.argsort(-sizes, kind="stable")
    by_length = sizes[order]
    batches = []
    start = 0
    while start < len(order):
        longest = max(int(by_length[start]), 1)
        rows = max(budget // longest, 1)
        batches.append(order[start : start + rows])
        start += rows
    return batches


def fill_ratio(lengths: ArrayLike, batches: list[NDArray[np.int64]]) -> float:
    """Useful tokens of all tokens that the model computes, 0 to 1; 1 without texts."""
    sizes = np.asarray(lengths, dtype=np.int64).reshape(-1)
    computed = sum(len(batch) * int(sizes[batch].max()) for batch in batches)
    return float(sizes.sum()) / computed if computed else 1.0
