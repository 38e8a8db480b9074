"""Tokenizes texts, and maps tokens back to code points of the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from triage.errors import ModelError

_WORD_MARK = "▁"
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Tokens of a list of texts.

    `lengths` [texts] int64 are numbers of tokens, special ones included; `truncated` [texts] bool marks texts that were
    cut; `prefix_chars` is the length of the prefix before each text; `lone_mark` is the id of SentencePiece's word
    mark, if any.
    """

    encodings: Sequence[Any]
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    prefix_chars: int
    lone_mark: int | None  # token id of SentencePiece's word mark alone

    def offsets(self, index: int) -> NDArray[np.int64]:
        """Start and end of each token in code points of text `index`, [tokens, 2] int64.

        Tokens that cover no characters of the text have equal start and end: special tokens, the prefix, and the lone
        word mark that SentencePiece puts before a Chinese text and reports with the offsets of the next character.
        """
        encoding = self.encodings[index]
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        if self.prefix_chars:
            offsets = np.maximum(offsets - self.prefix_chars, 0)
        if self.lone_mark is not None:
            blank = np.asarray(encoding.ids, dtype=np.int64) == self.lone_mark
            offsets[blank, 1] = offsets[blank, 0]
        return offsets


class TextTokenizer:
    """Hugging Face tokenizer of a model folder. Thread-safe: it does not change after construction."""

    def __init__(self, path: Path, *, max_tokens: int, pad_id: int, prefix: str = "") -> None:
        """Raises ModelError if `path` is not a tokenizer file."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} is not a readable tokenizer ({error}); export the model again") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self._lone_mark = tokenizer.token_to_id(_WORD_MARK)
        self._prefix = prefix
        self.max_tokens = max_tokens
        self.pad_id = pad_id

    @property
    def highest_id(self) -> int:
        """The highest token id that a text can have, added tokens included."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)

    def encode(self, texts: Sequence[str]) -> Tokenized:
        """Tokenize all texts together, on all cores; longer texts are cut at `max_tokens`."""
        prefixed = [self._prefix + text for text in texts] if self._prefix else list(texts)
        try:
            encodings = self._tokenizer.encode_batch(prefixed)
        except (TypeError, UnicodeEncodeError):
            # Lone surrogates cannot be encoded; replacing each by one code point keeps the offsets.
            encodings = self._tokenizer.encode_batch([_SURROGATES.sub("\ufffd", text) for text in prefixed])
        lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
        truncated = np.zeros(len(encodings), np.bool_)
        for index in np.flatnonzero(lengths >= self.max_tokens):
            truncated[index] = bool(encodings[index].overflowing)
        return Tokenized(encodings, lengths, truncated, len(self._prefix), self._lone_mark)

    def pad(
        self, tokenized: Tokenized, indices: NDArray[np.int64], rows: int = 0, width: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Build `input_ids` and `attention_mask`, both [rows, width] int64, for the texts at `indices`.

        The shape is the smallest that holds the texts, or `rows` x `width` if these are larger; an unused row has one
        token.
        """
        lengths = np.ones(max(rows, len(indices)), np.int64)
        lengths[: len(indices)] = tokenized.lengths[indices]
        mask = np.arange(max(width, int(lengths.max())))[None, :] < lengths[:, None]
        input_ids = np.full(mask.shape, self.pad_id, np.int64)
        # The mask selects cells in row-major order, which is the order of the concatenated ids.
        texts = mask[: len(indices)]
        input_ids[: len(indices)][texts] = np.concatenate(
            [tokenized.encodings[index].ids for index in indices.tolist()]
        )
        return input_ids, mask.astype(np.int64)
