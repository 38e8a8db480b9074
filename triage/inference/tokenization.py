"""Texts to token ids, with a way back from tokens to code points of the text."""

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
    """Tokens of a list of texts. `lengths` [texts] int64 counts special tokens; `truncated` [texts] bool."""

    encodings: Sequence[Any]
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    prefix_chars: int
    lone_mark: int | None  # id of SentencePiece's word mark as a token of its own

    def offsets(self, index: int) -> NDArray[np.int64]:
        """[tokens, 2] start and end of each token in code points of text `index`.

        Tokens that stand for no characters of it are empty: special tokens, the prefix, and the lone word mark that
        SentencePiece puts before a Chinese text and reports with the offsets of the character after it.
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
    """Hugging Face tokenizer of a model folder. Thread-safe: it does not change after it is made."""

    def __init__(self, path: Path, *, max_tokens: int, pad_id: int, prefix: str = "") -> None:
        """Raises ModelError if `path` is no tokenizer file."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} is no tokenizer that can be read ({error}); export the model again") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self._lone_mark = tokenizer.token_to_id(_WORD_MARK)
        self._prefix = prefix
        self.max_tokens = max_tokens
        self.pad_id = pad_id

    def encode(self, texts: Sequence[str]) -> Tokenized:
        """Tokenize all texts at once, on all cores; texts beyond `max_tokens` are cut."""
        given = [self._prefix + text for text in texts] if self._prefix else list(texts)
        try:
            encodings = self._tokenizer.encode_batch(given)
        except (TypeError, UnicodeEncodeError):
            # Lone surrogates are no Unicode text; one code point for one keeps the offsets.
            encodings = self._tokenizer.encode_batch([_SURROGATES.sub("\ufffd", text) for text in given])
        lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
        truncated = np.zeros(len(encodings), np.bool_)
        for index in np.flatnonzero(lengths >= self.max_tokens):
            truncated[index] = bool(encodings[index].overflowing)
        return Tokenized(encodings, lengths, truncated, len(self._prefix), self._lone_mark)

    def pad(
        self, tokenized: Tokenized, indices: NDArray[np.int64], rows: int = 0, width: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`input_ids` and `attention_mask`, both [rows, width] int64, of the texts at `indices`.

        As small as the texts allow, unless `rows` or `width` ask for more; a row without a text has one token.
        """
        lengths = np.ones(max(rows, len(indices)), np.int64)
        lengths[: len(indices)] = tokenized.lengths[indices]
        mask = np.arange(max(width, int(lengths.max())))[None, :] < lengths[:, None]
        input_ids = np.full(mask.shape, self.pad_id, np.int64)
        # Row-major order of the mask is the order of the concatenated ids.
        texts = mask[: len(indices)]
        input_ids[: len(indices)][texts] = np.concatenate(
            [tokenized.encodings[index].ids for index in indices.tolist()]
        )
        return input_ids, mask.astype(np.int64)
