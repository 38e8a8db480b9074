"""Interface of sentence encoders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EncodedText:
    """A text's vector [dimensions], and those of its tokens [tokens, dimensions], without prefix and special ones.

    What the vectors of all tokens share is subtracted from them.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]


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

    def read_question(self, text: str, language: str = "") -> EncodedText:
        """The vectors of a question in this language (`""`: another one) and of its tokens. Raises ModelError."""
        ...

    def read_passages(self, texts: Sequence[str]) -> list[EncodedText]:
        """The vectors of passages and of their tokens. Raises ModelError."""
        ...
