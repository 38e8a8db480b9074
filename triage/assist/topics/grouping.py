"""Groups sentence vectors by similarity, at two sizes of group, without knowing the time of any record."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_SIZES = (15, 60)
"""Mean sizes of the groups: a topic of a dozen records drowns in large groups, a broad one is torn by small ones."""
_MOST_GROUPS = 400
_ROUNDS = 12
_SEED = 7


def groups(vectors: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Yield groups of similar `vectors` ([n, dimensions], L2-normalized) as indices of rows.

    A vector is in one group of each of two sizes.
    """
    if len(vectors) < 2 * min(_SIZES):
        return
    centred = vectors - vectors.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    for size in _SIZES:
        number = min(_MOST_GROUPS, len(vectors) // size)
        if number >= 2:
            labels = _k_means(centred, number)
            yield from (rows for label in range(number) if len(rows := np.flatnonzero(labels == label)))


def _k_means(vectors: NDArray[np.float32], number: int) -> NDArray[np.int64]:
    """Labels of spherical k-means from random rows; deterministic."""
    rng = np.random.default_rng(_SEED)
    centres = vectors[rng.choice(len(vectors), number, replace=False)].copy()
    labels = np.full(len(vectors), -1, np.int64)
    for _ in range(_ROUNDS):
        found = np.argmax(vectors @ centres.T, axis=1)
        if np.array_equal(found, labels):
            break
        labels = found
        for label in range(number):
            rows = vectors[labels == label]
            if len(rows):
                total = rows.sum(axis=0)
                centres[label] = total / max(float(np.linalg.norm(total)), 1e-6)
    return labels
