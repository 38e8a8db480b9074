"""Interface of sentence encoders."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class SentenceEncoder(Protocol):
    """Encodes texts as L2-normalized vectors; the dot product of two is their similarity. Thread-safe."""

    version: str
    """Name and version, stored with every vector: vectors of different versions are never compared."""
    dimensions: int

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of questions and messages of customers, [texts, dimensions] float32. Raises ModelError."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of passages, [texts, dimensions] float32. Raises ModelError."""
        ...
