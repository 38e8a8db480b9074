"""Counts tokens as the sentence encoder does, by the shipped tokenizer, which is there without the encoder too."""

import bisect
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from triage.errors import ModelError
from triage.paths import resource


class TokenCounter:
    """The tokens of one text after the other. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises ModelError if the tokenizer cannot be read."""
        path = path or resource("onnx/triage-en-zh/tokenizer.json")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} is not a readable tokenizer: {error}") from error
        self._tokenizer.no_truncation()

    def starts(self, text: str) -> "TokenStarts":
        """The positions of the tokens of a text."""
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return TokenStarts(np.array([start for start, _ in offsets], np.int64).tolist())


class TokenStarts:
    """Positions of a text's tokens, in code points, ascending."""

    def __init__(self, starts: list[int]) -> None:
        self._starts = starts

    def count(self, start: int, end: int) -> int:
        """Number of tokens that begin in `text[start:end]`."""
        return bisect.bisect_left(self._starts, end) - bisect.bisect_left(self._starts, start)

    def after(self, start: int, tokens: int) -> int | None:
        """Position of the token that comes `tokens` tokens after `start`; None if the text ends before."""
        at = bisect.bisect_left(self._starts, start) + tokens
        return self._starts[at] if at < len(self._starts) else None
