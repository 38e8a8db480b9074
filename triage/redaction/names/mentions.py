"""Finds other mentions of the names that the entity head found: in the rest of the text, in fields and links.

The entity head uses the context of each mention and may miss some. A name that is replaced in one place and left in
another is not redacted.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from triage.han import simplified
from triage.patterns import any_of, load_patterns

_WORDS = load_patterns("triage.redaction.names", "words")
_TITLES = frozenset(_WORDS["titles"])
_ORDINARY = frozenset(_WORDS["ordinary"])
# Between the words of a name: also in links and profile names, `jane.smith`, `jane%20smith`, `JaneSmith`.
_JOINT = r"(?:%20|[\s._+\-\u00b7\u2022\u30fb'’]){0,3}"
_SEPARATORS = re.compile(r"(?:%20|[\s._+\-\u00b7\u2022\u30fb,()\[\]\"“”«»:;/|<>*])+")
_HAN = re.compile(r"[\u3400-\u9fff]")
# A letter or digit of a script that separates words by spaces.
_LETTER = r"[^\W_\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_MIN_CHARS = 2
_MIN_WORD = 3
_MAX_NAMES = 50
_MAX_CHARS = 100


def mentions_of(names: Iterable[str]) -> "Mentions | None":
    """A matcher that finds other mentions of these names; None if none of them is suitable.

    Names that are too short, too long or ordinary words are not searched for.
    """
    usable = sorted({name for name in names if len(name) <= _MAX_CHARS})[:_MAX_NAMES]
    whole = [pattern for name in usable if (pattern := _whole(name))]
    return Mentions(whole, [pattern for name in usable for pattern in _parts(name)]) if whole else None


class Mentions:
    """Finds mentions of a record's names in texts.

    `whole` are patterns of complete names, `words` patterns of the single words of names that have several.
    """

    def __init__(self, whole: Iterable[str], words: Iterable[str]) -> None:
        self._whole = _compiled("|".join(sorted(set(whole), key=len, reverse=True)))
        parts = "|".join(sorted(set(words), key=len, reverse=True))
        self._words = _compiled(parts) if parts else None

    def whole(self, text: str) -> list[tuple[int, int]]:
        """Find the ranges of complete names of the record in a text, in order."""
        return [match.span() for match in self._whole.finditer(simplified(text))]

    def words(self, text: str) -> list[tuple[int, int]]:
        """Find the ranges of single words of the record's names in a text, in order."""
        return [match.span() for match in self._words.finditer(simplified(text))] if self._words else []


def _whole(name: str) -> str | None:
    """Pattern of a complete name; None for a name that is too short or an ordinary word."""
    parts = [part for part in _SEPARATORS.split(simplified(name)) if part]
    joined = "".join(parts)
    if len(joined) < _MIN_CHARS or not any(char.isalpha() for char in joined):
        return None
    if len(parts) == 1 and joined.lower() in _ORDINARY | _TITLES:
        return None
    if _HAN.search(joined):
        return _JOINT.join(re.escape(part) for part in parts)
    if len(parts) == 1:
        return _word(joined)
    return rf"(?<!{_LETTER})(?i:{_JOINT.join(re.escape(part) for part in parts)})(?!{_LETTER})"


def _parts(name: str) -> list[str]:
    """Patterns of the words of a name that has several; short and ordinary words are left out."""
    parts = [part for part in _SEPARATORS.split(name) if part]
    if len(parts) == 1 or _HAN.search(name):
        return []
    usable = (part for part in parts if len(part) >= _MIN_WORD and part.lower() not in _ORDINARY | _TITLES)
    return [_word(part) for part in usable if part.isalpha() and part[0].isupper()]


def _word(word: str) -> str:
    """Pattern of a word as it was written, capitalized, and in capitals; in small letters only if it was written so."""
    forms = any_of(sorted({re.escape(form) for form in (word, word.capitalize(), word.upper())}))
    return rf"(?<!{_LETTER}){forms}(?!{_LETTER})"


@lru_cache(256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
