"""Finds many phrases in a text in one pass: whole words in scripts with spaces, substrings in others."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from triage.han import simplified

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[^\W_{_UNSPACED}]+")
_HAS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")


def normalized(text: str) -> str:
    """Case-fold a text, convert it to simplified characters, and make full-width letters and digits narrow (NFKC)."""
    if text.isascii():
        return text.lower()
    return simplified((unicodedata.normalize("NFKC", text) if _WIDE.search(text) else text).casefold())


class PhraseIndex:
    """Finds which of many phrases a text contains; each phrase has a number.

    Words are compared ignoring case and punctuation; a phrase may end in * for any ending. The cost depends on the
    length of the text and on the phrases that begin with one of its words (or characters), not on the number of
    phrases.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words: dict[str, list[tuple[str, int]]] = {}
        self._starts: list[tuple[str, int]] = []
        self._strings: dict[str, list[tuple[str, int]]] = {}
        self._first_words: frozenset[str] = frozenset()
        self._first_chars: frozenset[str] = frozenset()

    def add(self, phrases: Iterable[str]) -> frozenset[int]:
        """Add phrases to the index; return their numbers, for equal phrases the same."""
        numbers = frozenset(self._add(phrase) for phrase in phrases)
        self._first_words, self._first_chars = frozenset(self._words), frozenset(self._strings)
        return numbers

    def _add(self, phrase: str) -> int:
        phrase = normalized(phrase).strip()
        if phrase in self._numbers:
            return self._numbers[phrase]
        number = self._numbers[phrase] = len(self._numbers)
        tokens = _TOKEN.findall(phrase)
        if _HAS_UNSPACED.search(phrase):
            self._strings.setdefault(phrase[0], []).append((phrase.removesuffix("*"), number))
        elif phrase.endswith("*"):
            self._starts.append((" " + " ".join(tokens), number))
        else:
            self._words.setdefault(tokens[0], []).append((f" {' '.join(tokens)} ", number))
        return number

    def find(self, text: str) -> set[int]:
        """Numbers of the phrases that a text contains."""
        text = normalized(text)
        tokens = _TOKEN.findall(text)
        line = f" {' '.join(tokens)} "
        found = {number for start, number in self._starts if start in line}
        for word in self._first_words.intersection(tokens):
            found.update(number for phrase, number in self._words[word] if phrase in line)
        if not text.isascii():
            for char in self._first_chars.intersection(text):
                found.update(number for phrase, number in self._strings[char] if phrase in text)
        return found


def locate(phrase: str, text: str) -> tuple[int, int] | None:
    """First place in the text, as (start, end) in code points, of a phrase found by `PhraseIndex`; None if unknown."""
    return next(occurrences(phrase, text), None)


def occurrences(phrase: str, text: str) -> Iterator[tuple[int, int]]:
    """All places of a phrase in the text, as `locate` returns the first."""
    chars: list[str] = []
    origins: list[int] = []
    for position, char in enumerate(text):
        characters = normalized(char)
        chars.append(characters)
        origins += [position] * len(characters)
    for start, end in _spans(normalized(phrase).strip(), "".join(chars)):
        yield origins[start], origins[end - 1] + 1


def _spans(phrase: str, line: str) -> Iterator[tuple[int, int]]:
    if _HAS_UNSPACED.search(phrase):
        phrase = phrase.removesuffix("*")
        at = line.find(phrase)
        while at >= 0:
            yield at, at + len(phrase)
            at = line.find(phrase, at + 1)
        return
    *tokens, last = _TOKEN.findall(phrase)
    found = list(_TOKEN.finditer(line))
    for first in range(len(found) - len(tokens)):
        run = found[first : first + len(tokens) + 1]
        ending = run[-1].group()
        fits = ending.startswith(last) if phrase.endswith("*") else ending == last
        if fits and [match.group() for match in run[:-1]] == tokens:
            yield run[0].start(), run[-1].end()
