"""Finds many phrases in a text in one pass: whole words in scripts with spaces, substrings in others."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from triage.han import simplified
from triage.keywords import Keywords

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[^\W_{_UNSPACED}]+")
_HAS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
# In an ASCII text all but letters and digits separates words.
_ASCII_WORDS = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})


# Words of phrases that many texts have.
_FREQUENT = frozenset(("the", "this", "that", "with", "from", "and", "for", "over", "still", "time", "will", "you"))
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
# Letters that expressions take for i, and that case folding keeps apart from it.
_OTHER_I = re.compile("[ıİ]")


def normalized(text: str) -> str:
    """Case-fold a text, convert it to simplified characters, and make full-width letters and digits narrow (NFKC)."""
    if text.isascii():
        return text.lower()
    return simplified((unicodedata.normalize("NFKC", text) if _WIDE.search(text) else text).casefold())


class PhraseIndex:
    """Finds which of many phrases a text contains; phrases are numbered from 0 in the order in which they are added.

    Words are compared ignoring case and punctuation; a phrase may end in * for any ending. The text is read once or
    twice, however many phrases there are.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        # Of the same words in another punctuation.
        self._words: dict[str, list[int]] = {}
        self._strings: dict[str, list[int]] = {}
        self._literals: dict[str, int] = {}
        self._search: _Search | None = None

    def add(self, phrases: Iterable[str]) -> frozenset[int]:
        """Add phrases to the index; return the set of their numbers (ids), by which `find` reports them.

        Equal phrases have one number.
        """
        self._search = None
        return frozenset(self._add(phrase) for phrase in phrases)

    def add_literals(self, literals: Iterable[str]) -> frozenset[int]:
        """Add literals of regular expressions (see `required_literals`); return the ids by which `find` reports them.

        Unlike phrases, they are also found within words, because expressions match there too.
        """
        self._search = None
        return frozenset(self._literals.setdefault(literal, self._next()) for literal in literals)

    def _next(self) -> int:
        return len(self._numbers) + len(self._literals)

    def _add(self, phrase: str) -> int:
        phrase = normalized(phrase).strip()
        if phrase in self._numbers:
            return self._numbers[phrase]
        number = self._numbers[phrase] = self._next()
        words = " ".join(_TOKEN.findall(phrase))
        if _HAS_UNSPACED.search(phrase):
            self._strings.setdefault(phrase.removesuffix("*"), []).append(number)
        else:
            self._words.setdefault(f" {words}" if phrase.endswith("*") else f" {words} ", []).append(number)
        return number

    def find(self, text: str) -> set[int]:
        """Return the numbers (from `add`) of the phrases in a text, and of the literals that may occur in it."""
        search = self._search
        if search is None:
            search = self._search = _Search(self._words, self._strings, self._literals)
        return search.find(text)


def _rarest_word(phrase: str) -> str:
    """The word of a phrase that fewest texts have, as far as its length tells; "" if it has no word."""
    return max(phrase.split(), key=lambda word: (word not in _FREQUENT, len(word)), default="")


class _Search:
    """The phrases and literals of an index, ready to be searched for.

    Most texts are read once: only if one word of a phrase is part of the text is it divided into words.
    """

    def __init__(
        self, words: Mapping[str, list[int]], strings: Mapping[str, list[int]], literals: Mapping[str, int]
    ) -> None:
        self._words, self._words_numbers = Keywords(words), list(words.values())
        self._literals = frozenset(literals.values())
        # No number of its own: a word that one of the phrases has.
        anywhere: dict[str, list[int]] = {_rarest_word(phrase): [] for phrase in words}
        # A phrase of punctuation alone is in texts without words.
        self._always_words = anywhere.pop("", None) is not None
        word_parts = frozenset(anywhere)
        for string, numbers in (*strings.items(), *((literal, [number]) for literal, number in literals.items())):
            anywhere.setdefault(string, []).extend(numbers)
        self._anywhere = Keywords(anywhere)
        self._anywhere_numbers = [(numbers, string in word_parts) for string, numbers in anywhere.items()]

    def find(self, text: str) -> set[int]:
        folded = normalized(text)
        found: set[int] = set()
        has_words = self._always_words
        for index in self._anywhere.find(folded):
            numbers, is_word = self._anywhere_numbers[index]
            found.update(numbers)
            has_words |= is_word
        if has_words:
            words = folded.translate(_ASCII_WORDS).split() if folded.isascii() else _TOKEN.findall(folded)
            for index in self._words.find(f" {' '.join(words)} "):
                found.update(self._words_numbers[index])
        if not text.isascii() and (_WIDE.search(text) or _OTHER_I.search(text)):
            # Composed or folded otherwise than the expressions read it.
            found |= self._literals
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
