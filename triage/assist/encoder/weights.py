"""Reads the file of weights in the encoder's package: pieces of the vocabulary, then tensors of 4 bits or fp32.

A matrix is stored in blocks of 32 numbers: a scale in fp16, then 16 bytes, whose low halves are the first 16 numbers
and whose high halves are the others; a number is (half byte - 8) * scale.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from triage.errors import ModelError

MAGIC = b"E5S1"
BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
_HEADER = struct.Struct("<I7ifi")
_VOCABULARY = struct.Struct("<5iQ")
_CHARACTERS = struct.Struct("<iI")
_COUNT = struct.Struct("<i")
_NAME = struct.Struct("<H")
_TENSOR = struct.Struct("<BIQQ")


@dataclass(frozen=True)
class Blocks:
    """A matrix of 4 bits: `numbers` [rows, columns] uint8 of 0 to 15, `scales` [rows, columns / 32] float32."""

    numbers: NDArray[np.uint8]
    scales: NDArray[np.float32]


class Weights:
    """Vocabulary and tensors of the file; tensors are decoded when they are asked for.

    `pieces` and `scores` are those of the tokenizer, in the order of the rows of the word embeddings.
    """

    def __init__(self, content: bytes) -> None:
        """Raises ModelError for content that is not such a file."""
        if not content.startswith(MAGIC):
            raise ModelError("the encoder's package holds no file of weights of the known form")
        self._content = content
        try:
            self._read()
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise ModelError(f"the encoder's file of weights is damaged: {error}") from error

    def _read(self) -> None:
        content, at = self._content, len(MAGIC)
        _, self.hidden, self.layers, self.heads, _, _, self.positions, _, self.epsilon, _ = _HEADER.unpack_from(
            content, at
        )
        at += _HEADER.size
        count, *_, size = _VOCABULARY.unpack_from(content, at)
        at += _VOCABULARY.size
        offsets = np.frombuffer(content, "<u4", count + 1, at)
        at += offsets.nbytes
        scores = np.frombuffer(content, "<f4", count, at)
        at += scores.nbytes
        texts = content[at : at + size]
        self.pieces = [texts[start:end].decode() for start, end in pairwise(offsets)]
        self.scores = scores.astype(float).tolist()
        at += size
        at += _CHARACTERS.size + _CHARACTERS.unpack_from(content, at)[1]
        (tensors,) = _COUNT.unpack_from(content, at)
        at += _COUNT.size
        self._tensors: dict[str, tuple[bool, int, int]] = {}
        for _ in range(tensors):
            (length,) = _NAME.unpack_from(content, at)
            at += _NAME.size
            name = content[at : at + length].decode()
            at += length
            quantized, _, start, size = _TENSOR.unpack_from(content, at)
            at += _TENSOR.size
            self._tensors[name] = (bool(quantized), start, size)

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor of fp32, [n] float32. Raises ModelError if the file has none of this name."""
        _, start, size = self._place(name, quantized=False)
        return np.frombuffer(self._content, "<f4", size // 4, start)

    def blocks(self, name: str, columns: int) -> Blocks:
        """A matrix of 4 bits with `columns` columns. Raises ModelError if the file has none of this name."""
        _, start, size = self._place(name, quantized=True)
        stored = np.frombuffer(self._content, _BLOCK_TYPE, size // _BLOCK_TYPE.itemsize, start)
        halves = stored["halves"]
        numbers = np.concatenate([halves & 15, halves >> 4], axis=1)
        return Blocks(numbers.reshape(-1, columns), stored["scale"].astype(np.float32).reshape(-1, columns // BLOCK))

    def _place(self, name: str, *, quantized: bool) -> tuple[bool, int, int]:
        found = self._tensors.get(name)
        if found is None or found[0] is not quantized:
            raise ModelError(f"the encoder's file of weights has no tensor {name} of the known form")
        return found
