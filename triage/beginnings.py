"""Makes alternations faster: one test of the next character tells most places where none of them can begin.

`re` has no such test for alternations that ignore case: at every place of a text it tries each of them.
"""

import re
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

_AFTER_NO_LETTER = "(?<![a-z])"
_WIDEST_RANGE = 100


class _First(NamedTuple):
    """The characters with which a match can begin; `empty` if it can be empty."""

    chars: frozenset[int]
    empty: bool


def any_beginning(patterns: Iterable[str]) -> str:
    """A regular expression that ignores case and matches any of the patterns, which are tried in order.

    It matches what `(?i:a|b)` does. If the beginnings of the patterns are not known, it is just that.
    """
    listed = list(patterns)
    joined = "|".join(listed)
    after_no_letter: set[int] = set()
    anywhere: set[int] = set()
    for pattern in listed:
        first = _first(_parser.parse(pattern, re.IGNORECASE))
        if first is None or first.empty:
            return f"(?i:{joined})"
        (after_no_letter if pattern.startswith(_AFTER_NO_LETTER) else anywhere).update(first.chars)
    tests = [_class(anywhere)] if anywhere else []
    if after_no_letter - anywhere:
        tests.append(_AFTER_NO_LETTER + _class(after_no_letter))
    return f"(?i:(?={'|'.join(tests)})(?:{joined}))"


def _class(chars: Iterable[int]) -> str:
    return f"[{''.join(re.escape(chr(char)) for char in sorted(chars))}]"


def _first(tree: Any) -> _First | None:
    """First characters of a sequence; None if they are not known."""
    chars: frozenset[int] = frozenset()
    for operator, argument in tree:
        if operator in {_constants.AT, _constants.ASSERT, _constants.ASSERT_NOT}:
            # Only limits where a match can begin.
            continue
        found = _first_of(operator, argument)
        if found is None:
            return None
        chars |= found.chars
        if not found.empty:
            return _First(chars, empty=False)
    return _First(chars, empty=True)


def _first_of(operator: Any, argument: Any) -> _First | None:
    if operator in {_constants.LITERAL, _constants.IN}:
        return _first_of_class([(operator, argument)] if operator is _constants.LITERAL else argument)
    if operator is _constants.SUBPATTERN:
        return _first(argument[3])
    if operator is _constants.BRANCH:
        return _first_of_branches([_first(branch) for branch in argument[1]])
    if operator in {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}:
        found = _first(argument[2])
        return found and _First(found.chars, found.empty or argument[0] == 0)
    return None


def _first_of_branches(parts: Iterable[_First | None]) -> _First | None:
    chars: set[int] = set()
    empty = False
    for part in parts:
        if part is None:
            return None
        chars |= part.chars
        empty |= part.empty
    return _First(frozenset(chars), empty=empty)


def _first_of_class(items: Any) -> _First | None:
    chars: set[int] = set()
    for operator, argument in items:
        if operator is _constants.LITERAL:
            chars.add(argument)
        elif operator is _constants.RANGE and argument[1] - argument[0] < _WIDEST_RANGE:
            chars.update(range(argument[0], argument[1] + 1))
        else:
            return None
    return _First(frozenset(chars), empty=False)
