"""Reads misspelt English words as the words that were meant, before the tokenizer divides them.

A tokenizer divides a misspelt word into pieces that say nothing about it, so "my refnd" is about nothing the model
knows. Each lower-case word that neither the tokenizer nor `spelling.txt.xz` knows is compared with the frequent words
of feedback: if one slip of a finger makes one of them of it, the model reads that one. The stored text stays.

A slip is two letters swapped, a letter dropped, doubled or hit with a neighbouring key, or a vowel for another. The
first letter is always right: it rarely is wrong, and it keeps real words apart. A text of which most words are unknown
is in another language, and a capital within a sentence begins a name: both stay.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.packed import read_unpacked

WORDS_FILE = Path(__file__).with_name("spelling.txt.xz")
_SHORTEST = 4
# A word of four letters has many neighbours: only a very frequent one is meant.
_FREQUENT = 450
_CACHED_WORDS = 16_384
_KEYS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))
_VOWELS = frozenset("aeiou")
# A vowel for another makes real words of short ones: putting, petting.
_SHORTEST_VOWEL = 7
_ENDINGS = frozenset("sdyr")
# Not within names of accounts, tags, addresses, files, numbers and contractions.
_WORD = re.compile(r"(?<![\w@#/.\-'’&+])[A-Za-z][a-z]+(?![\w@/\-'’&+]|\.\w)")
_HAN = re.compile("[\u3400-\u9fff]")
_SENTENCE_START = re.compile(r"(?:^|[.!?\n])[\s\"'“”(]*$")


def _neighbours() -> dict[str, frozenset[str]]:
    places = {key: (shift + column, row) for row, (keys, shift) in enumerate(_KEYS) for column, key in enumerate(keys)}
    return {
        key: frozenset(
            other for other, (x, y) in places.items() if other != key and abs(x - at) <= 1 and abs(y - row) <= 1
        )
        for key, (at, row) in places.items()
    }


_NEAR = _neighbours()


class Edit(NamedTuple):
    """Code points [start, end) of a text that were read as `new`."""

    start: int
    end: int
    new: str


def is_slip(word: str, meant: str) -> bool:
    """True if one slip of the finger, such as a missing or swapped letter, makes `word` of `meant`.

    Both are in lower case and not equal.
    """
    pairs = enumerate(zip(word, meant, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(word), len(meant)))
    longer = len(word) - len(meant)
    if not at or abs(longer) > 1:
        return False
    if longer == 0:
        return _is_replaced(word, meant, at)
    if longer < 0:
        # A word without its ending is another form of it.
        return word[at:] == meant[at + 1 :] and not (at == len(word) and meant[at] in _ENDINGS)
    doubled = word[at] == word[at - 1]
    near = at < len(meant) and word[at] in _NEAR[word[at - 1]] | _NEAR[word[at + 1]]
    return word[at + 1 :] == meant[at:] and (doubled or near)


def _is_replaced(word: str, meant: str, at: int) -> bool:
    """True if the letter at `at` is another one, or swapped with the next."""
    if word[at + 1 :] != meant[at + 1 :]:
        return word[at : at + 2] == meant[at : at + 2][::-1] and word[at + 2 :] == meant[at + 2 :]
    letters = {word[at], meant[at]}
    if letters <= _ENDINGS and at == len(word) - 1:
        return False  # receives, received: forms of one word
    return (letters <= _VOWELS and len(word) >= _SHORTEST_VOWEL) or word[at] in _NEAR[meant[at]]


class Spelling:
    """Finds misspelt English words and the words that were meant. Thread-safe: only its cache of words changes."""

    def __init__(self, known: Iterable[str], path: Path = WORDS_FILE) -> None:
        """`known` are words that are never corrected, besides those of the file.

        The file holds frequent words, the most frequent first, an empty line, and further words that are right.
        """
        frequent, _, right = read_unpacked(path).decode("ascii").partition("\n\n")
        self._frequent = frequent.split()
        self._known = frozenset((*known, *self._frequent, *right.split()))
        self._by_part: dict[str, list[int]] = {}
        for rank, word in enumerate(self._frequent):
            for part in {word, *_shortened(word)}:
                self._by_part.setdefault(part, []).append(rank)
        self._meant = lru_cache(_CACHED_WORDS)(self._find)

    def edits(self, text: str) -> list[Edit]:
        """The words of `text` that are misspelt, in order, with those that were meant; linear in its length."""
        unknown, words = [], 0
        for match in _WORD.finditer(text):
            words += 1
            word = match[0]
            if word not in self._known and word.lower() not in self._known:
                unknown.append(match)
        if not unknown or 2 * len(unknown) > words or _HAN.search(text):
            return []
        found = []
        for match in unknown:
            word = match[0]
            if (meant := self._meant(word.lower())) is None:
                continue
            if word[0].isupper():
                if not _SENTENCE_START.search(text, max(0, match.start() - 8), match.start()):
                    continue
                meant = meant.capitalize()
            found.append(Edit(match.start(), match.end(), meant))
        return found

    def _find(self, word: str) -> str | None:
        """The most frequent word that `word` is a slip of; None if there is none."""
        if len(word) < _SHORTEST:
            return None
        parts = {word, *_shortened(word)}
        ranks = sorted({rank for part in parts for rank in self._by_part.get(part, ())})
        for rank in ranks:
            if len(word) == _SHORTEST and rank >= _FREQUENT:
                break
            if is_slip(word, self._frequent[rank]):
                return self._frequent[rank]
        return None


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits, which are in order and disjoint."""
    parts, last = [], 0
    for edit in edits:
        parts += [text[last : edit.start], edit.new]
        last = edit.end
    return "".join([*parts, text[last:]])


def original_offsets(offsets: NDArray[np.int64], edits: Sequence[Edit]) -> NDArray[np.int64]:
    """Offsets [tokens, 2] in the text before the edits, from those in the text after them.

    A part of a corrected word begins and ends somewhere in the original word, never outside.
    """
    before, after, shift = [0], [0], 0
    for edit in edits:
        before += [edit.start, edit.end]
        after += [edit.start + shift, edit.start + shift + len(edit.new)]
        shift += len(edit.new) - (edit.end - edit.start)
    most = max(int(offsets.max(initial=0)), after[-1]) + 1
    places = np.interp(offsets, [*after, most], [*before, most - shift])
    return np.stack([np.floor(places[:, 0]), np.ceil(places[:, 1])], axis=1).astype(np.int64)


def _shortened(word: str) -> Iterable[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))
