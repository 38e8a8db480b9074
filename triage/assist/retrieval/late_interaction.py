"""Compares a question with a passage token by token: each token of the question with the nearest one of the passage.

One vector per text is their mean, in which a detail is lost. Of the tokens of a passage only the signs are kept, 48
bytes of 384 dimensions; the question's are whole (docs/decisions/0020-evidence-for-answers.md).
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def pack_tokens(tokens: Vectors) -> str:
    """The signs of vectors [tokens, dimensions], as text; the number of dimensions must be a multiple of 8."""
    return b64encode(np.packbits(tokens > 0, axis=1).tobytes()).decode("ascii")


def nearest_tokens(question: Vectors, packed: str) -> Vectors:
    """For each token of the question [tokens, dimensions] its similarity, -1 to 1, to the nearest one of a passage."""
    dimensions = question.shape[1]
    bits = np.unpackbits(np.frombuffer(b64decode(packed), np.uint8).reshape(-1, dimensions // 8), axis=1)
    length = np.linalg.norm(question, axis=1, keepdims=True) * np.sqrt(dimensions)
    # Bits are 0 and 1; signs would be -1 and 1, which is twice the bits less one.
    products = 2 * (question @ bits.T.astype(np.float32)) - question.sum(axis=1, keepdims=True)
    return np.asarray((products / np.maximum(length, 1e-6)).max(axis=1, initial=-1.0), np.float32)


def similarity_of(passages: Iterable[Vectors]) -> float:
    """The similarity of a question and an article, of `nearest_tokens` of its passages: each token takes its best."""
    return float(np.maximum.reduce(list(passages)).mean())
