"""Tokenizes texts, in windows where they are long, and maps tokens back to code points of the text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from triage.errors import ModelError
from triage.han import simplified
from triage.inference.emoji import emoji_table, replace_emoji
from triage.inference.homophones import Homophones
from triage.inference.spelling import Edit, Spelling, apply_edits, original_offsets

_WORD_MARK = "▁"
WINDOW_TOKENS = 32
"""Most tokens of a window. The heads take the mean of all tokens, in which one sentence among 256 tokens is lost."""
# Windows that cut a sentence share a quarter of their tokens, so that its parts keep some context.
_OVERLAP_SHARE = 4
_SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s)|[。！？!?…；]+[”’」』）]*|\n+")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Tokens of a list of texts, in windows: most texts are one window, a long one is several.

    The windows of a text are adjacent and in order; `texts` [windows] int64 is the text of each, ascending. `lengths`
    [windows] int64 are numbers of tokens, special ones included; `truncated` [windows] bool marks a window after
    which tokens were left out; `prefix_chars` is the length of the prefix before each text; `lone_mark` is
    the id of SentencePiece's word mark, if any.
    `shared` [windows] int64 is the number of tokens that a window has in common with the next one of its text;
    `edits` are the misspelt words that were read as others, by text.
    """

    encodings: Sequence[Any]
    lengths: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    prefix_chars: int
    lone_mark: int | None  # token id of SentencePiece's word mark alone
    texts: NDArray[np.int64]
    shared: NDArray[np.int64]
    edits: Mapping[int, Sequence[Edit]] = field(default_factory=dict)

    def offsets(self, index: int) -> NDArray[np.int64]:
        """Start and end of each token of window `index` in code points of its text, [tokens, 2] int64.

        Tokens that cover no characters of the text have equal start and end: special tokens, the prefix, and the lone
        word mark that SentencePiece puts before a Chinese text and reports with the offsets of the next character.
        """
        encoding = self.encodings[index]
        offsets = np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2)
        if self.prefix_chars:
            offsets = np.maximum(offsets - self.prefix_chars, 0)
        if edits := self.edits.get(int(self.texts[index])):
            offsets = original_offsets(offsets, edits)
        if self.lone_mark is not None:
            blank = np.asarray(encoding.ids, dtype=np.int64) == self.lone_mark
            offsets[blank, 1] = offsets[blank, 0]
        return offsets


class _Window(NamedTuple):
    """A part of a tokenized text, with the special tokens of its ends."""

    ids: list[int]
    offsets: list[tuple[int, int]]

    def part(self, start: int, stop: int) -> "_Window":
        """Select the tokens [start, stop) of the window; its special first and last token are kept and not counted."""
        ids, offsets = self.ids, self.offsets
        return _Window([ids[0], *ids[start + 1 : stop + 1], ids[-1]], [(0, 0), *offsets[start + 1 : stop + 1], (0, 0)])


class TextTokenizer:
    """Hugging Face tokenizer of a model folder. Thread-safe: it does not change after construction."""

    def __init__(
        self,
        path: Path,
        *,
        max_tokens: int,
        pad_id: int,
        prefix: str = "",
        max_windows: int = 1,
        window_tokens: int = WINDOW_TOKENS,
    ) -> None:
        """A text of more than `max_tokens` is read in at most `max_windows` windows of `window_tokens`; it is cut if
        `max_windows` is 1. Raises ModelError for a file that is not a tokenizer.
        """
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ModelError(f"{path} is not a readable tokenizer ({error}); export the model again") from error
        tokenizer.no_padding()
        self._window_tokens = min(window_tokens, max_tokens)
        self._overlap = self._window_tokens // _OVERLAP_SHARE
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._lone_mark = tokenizer.token_to_id(_WORD_MARK)
        self._emoji = emoji_table(tokenizer)
        # The first that finds mistakes counts: a text with Chinese characters has no English corrections.
        self._corrections = () if self._lone_mark is None else (_spelling(tokenizer), _homophones(tokenizer))
        self._prefix = prefix
        self.max_tokens = max_tokens
        self.max_windows = max_windows
        self.pad_id = pad_id

    @property
    def highest_id(self) -> int:
        """The highest token id that a text can have, added tokens included."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)

    def encode(self, texts: Sequence[str]) -> Tokenized:
        """Tokenize all texts together, on all cores.

        Traditional Chinese characters are read as simplified ones, and misspelt English words and Chinese characters of
        the same sound as those that were meant.
        If a text has more than `max_windows` windows, those in its middle are left out, because the request of a letter
        is at its beginning or its end.
        """
        known = [simplified(replace_emoji(text, self._emoji)) for text in texts]
        edits = self._edits(known)
        for number, found in edits.items():
            known[number] = apply_edits(known[number], found)
        prefixed = [self._prefix + text for text in known]
        try:
            encodings = self._tokenizer.encode_batch(prefixed)
        except (TypeError, UnicodeEncodeError):
            # Lone surrogates cannot be encoded; replacing each by one code point keeps the offsets.
            encodings = self._tokenizer.encode_batch([_SURROGATES.sub("\ufffd", text) for text in prefixed])
        lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
        owners = np.arange(len(encodings))
        truncated = np.zeros(len(encodings), np.bool_)
        shared = np.zeros(len(encodings), np.int64)
        if (lengths > self.max_tokens).any():
            encodings, owners, truncated, shared = self._divided(encodings, prefixed)
            lengths = np.fromiter((len(encoding.ids) for encoding in encodings), np.int64, len(encodings))
        return Tokenized(encodings, lengths, truncated, len(self._prefix), self._lone_mark, owners, shared, edits)

    def _edits(self, texts: Sequence[str]) -> dict[int, list[Edit]]:
        """The misspelt words of the texts that have some, by the number of the text."""
        found: dict[int, list[Edit]] = {}
        for number, text in enumerate(texts if self._corrections else ()):
            edits = next((edits for each in self._corrections if (edits := each.edits(text))), None)
            if edits:
                found[number] = edits
        return found

    def _divided(
        self, encodings: Sequence[Any], texts: Sequence[str]
    ) -> tuple[list[Any], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        """Windows of all texts, the text of each, where something was left out after it, and tokens shared."""
        windows: list[Any] = []
        owners: list[int] = []
        truncated: list[bool] = []
        shared: list[int] = []
        for number, (encoding, text) in enumerate(zip(encodings, texts, strict=True)):
            if len(encoding) <= self.max_tokens:
                windows.append(encoding)
                places, gap = [(0, 0)], None
            else:
                whole = _Window(encoding.ids, encoding.offsets)
                places, gap = self._places(whole, text)
                windows += [whole.part(*place) for place in places]
            owners += [number] * len(places)
            truncated += [place == gap for place in range(len(places))]
            shared += [max(0, stop - start) for (_, stop), (start, _) in pairwise(places)] + [0]
        return windows, np.array(owners, np.int64), np.array(truncated, np.bool_), np.array(shared, np.int64)

    def _places(self, whole: "_Window", text: str) -> tuple[list[tuple[int, int]], int | None]:
        """Tokens [start, stop) of the windows of one text, and the window after which some are left out.

        A window ends with a sentence if one ends in its last three quarters; else it cuts a sentence, and the next one
        begins with some of its tokens.
        """
        if self.max_windows == 1:
            return [(0, self.max_tokens - 2)], 0
        content = len(whole.ids) - 2
        size = self._window_tokens - 2
        begins = np.fromiter((start for start, _ in whole.offsets[1:-1]), np.int64, content)
        ends = [match.end() for match in _SENTENCE_END.finditer(text)]
        sentences = np.unique(np.searchsorted(begins, ends))
        places = []
        start = 0
        while content - start > size:
            last = int(np.searchsorted(sentences, start + size, side="right")) - 1
            stop = int(sentences[last]) if last >= 0 else 0
            if stop >= start + size // _OVERLAP_SHARE:
                places.append((start, stop))
                start = stop
            else:
                places.append((start, start + size))
                start += size - self._overlap
        # The last window takes as many whole sentences before it as fit: its own may be a short "This won't do."
        start = min([start, *sentences[sentences >= content - size].tolist()])
        while places and places[-1][0] >= start:
            places.pop()
        places.append((start, content))
        if len(places) <= self.max_windows:
            return places, None
        last = self.max_windows // 2
        first = self.max_windows - last
        return places[:first] + places[-last:], first - 1

    def pad(
        self, tokenized: Tokenized, indices: NDArray[np.int64], rows: int = 0, width: int = 0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Build `input_ids` and `attention_mask`, both [rows, width] int64, for the windows `indices` of `tokenized`.

        The shape is the smallest that holds the windows, or `rows` x `width` if these are larger; an unused row has
        one token.
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


def _spelling(tokenizer: Tokenizer) -> Spelling:
    """Corrects the words that are not a single token of `tokenizer`."""
    marked = (piece for piece in tokenizer.get_vocab() if piece.startswith(_WORD_MARK))
    return Spelling(piece[1:] for piece in marked if piece[1:].isascii() and piece[1:].isalpha())


def _homophones(tokenizer: Tokenizer) -> Homophones:
    """Corrects pairs of characters that are not a single token of `tokenizer`."""
    return Homophones(piece.removeprefix(_WORD_MARK) for piece in tokenizer.get_vocab())
