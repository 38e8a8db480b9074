"""Checks that a rephrased text claims nothing that its sources do not: numbers, dates, amounts, links, promises.

The check rather refuses too much: a refused text costs nothing, because the source is then quoted word for word.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain

from triage.assist.conversations.patterns import compiled
from triage.rules.phrases import normalized

_LONGER = 1.5
_MORE_CHARS = 80
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})
_DIGITS = re.compile(r"\d+(?:[.,:/-]\d+)*")
_HAN_NUMBERS = re.compile("[零〇一二三四五六七八九十百千万亿两半几双]+")
_LINKS = re.compile(
    r"https?:\S+|www\.\S+|[\w.+-]+@[\w.-]+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}\b(?:/\S*)?|\]\(|<[a-z/!]", re.IGNORECASE
)
# Signs that lead elsewhere, or that mean money or a share.
_SIGNS = re.compile(r"[@#$€£¥₩₹%‰￥°\\`{}|<>*_~^\[\]]")
_HAN = re.compile("[\u3400-\u9fff]")
_LETTERS = re.compile(r"[a-z]{2,}")


def problem_of(text: str, sources: list[str], language: str) -> str | None:
    """Name the first claim of a text that its sources do not make, such as a number or a promise.

    None if there is none. `language` is that of text and sources, en or zh. A text that is empty or has the wrong
    form has a problem, too.
    """
    said, given = _folded(text), _folded("\n".join(sources))
    if not said:
        return "empty"
    return next(chain(_of_form(said, given, language), _of_claims(said, given)), None)


def _of_form(said: str, given: str, language: str) -> Iterator[str]:
    if any(unicodedata.category(char) in _INVISIBLE for char in said if char not in "\n\t"):
        yield "control_characters"
    if len(said) > _LONGER * len(given) + _MORE_CHARS:
        yield "too_long"
    if _other_language(said, given, language):
        yield "language"


def _of_claims(said: str, given: str) -> Iterator[str]:
    """Names of the claims of `said` that `given` does not make; what matches counts alike only with itself."""
    for name, pattern in _SAME:
        if not set(pattern.findall(said)) <= set(pattern.findall(given)):
            yield name
    for name, pattern in _PROMISES.items():
        if pattern.search(said) and not pattern.search(given):
            yield f"promise ({name})"
    # What a source denies, a text must not affirm, nor the other way round.
    if len(_NEGATIONS.findall(said)) != len(_NEGATIONS.findall(given)):
        yield "negation"


def _folded(text: str) -> str:
    return normalized(unicodedata.normalize("NFKC", text)).replace("’", "'").replace("‘", "'").strip()


def _other_language(said: str, given: str, language: str) -> bool:
    if language == "zh":
        return _HAN.search(said) is None or not set(_LETTERS.findall(said)) <= set(_LETTERS.findall(given))
    return not set(_HAN.findall(said)) <= set(_HAN.findall(given))


_CLAIMS = compiled("claims")
_SAME = (
    ("link", _LINKS),
    ("number", _DIGITS),
    ("number", _HAN_NUMBERS),
    ("sign", _SIGNS),
    ("number", _CLAIMS["numbers"]),
    ("date", _CLAIMS["dates"]),
    ("amount", _CLAIMS["amounts"]),
)
_NEGATIONS = _CLAIMS["negations"]
_PROMISES = compiled("promises")
