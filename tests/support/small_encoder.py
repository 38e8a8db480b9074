"""A sentence encoder without a model: texts that share words have similar vectors."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.assist.encoder.base import EncodedText
from triage.assist.retrieval.words import content_words
from triage.elastic.knowledge_mapping import DIMENSIONS


class SmallEncoder:
    """Each word is a fixed random direction; `meanings` maps words to the word whose direction they have."""

    dimensions = DIMENSIONS

    def __init__(self, version: str = "small@1", meanings: Mapping[str, str] | None = None) -> None:
        self.version = version
        self._meanings = dict(meanings or {})

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._vector(text) for text in texts])

    encode_passages = encode_questions

    def read_question(self, text: str, language: str = "") -> EncodedText:
        words = sorted(content_words(text)) or [""]
        return EncodedText(self._vector(text), np.stack([self._vector(word) for word in words]))

    def read_passages(self, texts: Sequence[str]) -> list[EncodedText]:
        return [self.read_question(text) for text in texts]

    def _vector(self, text: str) -> NDArray[np.float32]:
        total = np.full(self.dimensions, 0.01, np.float32)
        for word in sorted(content_words(text)):
            meant = self._meanings.get(word, word)
            seed = int.from_bytes(hashlib.sha256(meant.encode()).digest()[:4], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimensions).astype(np.float32)
        return np.asarray(total / np.linalg.norm(total), np.float32)
