"""Finds strings of which a text must contain one for a regular expression to match: most texts need no search then."""

import unicodedata
from collections.abc import Sequence
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from triage.han import simplified

# Larger classes and alternatives are in most texts, or cost more to look for than they save.
_MOST_OF_A_CLASS = 16
_MOST = 100
# Characters that many Chinese texts have.
_FREQUENT = frozenset("的一是了我不在有你他她它们这那就也要会说去想没都还很给好")
Literals = frozenset[str]


def required_literals(pattern: str) -> Literals | None:
    """Return strings, one of which every match of `pattern` contains; None if none are certain.

    They are in lower case and simplified characters. `pattern` must be valid; its case is ignored.
    """
    return _of_sequence(_parser.parse(simplified(pattern), _constants.SRE_FLAG_IGNORECASE))


def _of_sequence(tree: Any) -> Literals | None:
    candidates: list[Literals] = []
    run = ""
    for operator, argument in tree:
        if operator is _constants.LITERAL and (char := _plain(argument)):
            run += char
            continue
        if run:
            candidates.append(frozenset((run,)))
            run = ""
        if (found := _of_one(operator, argument)) is not None:
            candidates.append(found)
    if run:
        candidates.append(frozenset((run,)))
    return max(candidates, key=_selectivity) if candidates else None


def _selectivity(literals: Literals) -> tuple[int, bool, int]:
    return min(map(len, literals)), literals.isdisjoint(_FREQUENT), -len(literals)


def _of_one(operator: Any, argument: Any) -> Literals | None:
    if operator is _constants.SUBPATTERN:
        return _of_sequence(argument[3])
    if operator in {_constants.MAX_REPEAT, _constants.MIN_REPEAT}:
        return _of_sequence(argument[2]) if argument[0] else None
    if operator is _constants.BRANCH:
        return _union([_of_sequence(branch) for branch in argument[1]])
    if operator is _constants.IN and len(argument) <= _MOST_OF_A_CLASS:
        chars = [_plain(code) if kind is _constants.LITERAL else None for kind, code in argument]
        return _union([frozenset((char,)) if char else None for char in chars])
    return None


def _union(parts: Sequence[Literals | None]) -> Literals | None:
    known = [part for part in parts if part is not None]
    found = frozenset[str]().union(*known)
    return found if len(known) == len(parts) and len(found) <= _MOST else None


def _plain(code: int) -> str | None:
    """The character in lower case if it is ASCII or has no case; None for others, which have many forms."""
    char = chr(code)
    return char.lower() if char.isascii() or unicodedata.category(char) == "Lo" else None
