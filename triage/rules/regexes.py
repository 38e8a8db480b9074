"""Refuses regular expressions that could block a worker.

Python's `re` backtracks: a nested repetition such as `(a+)+b` takes exponential time on a text that almost matches.
Such nesting is visible in the syntax tree.
"""

import re
import warnings
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_MANY = 16
_MAX_PATTERN = 500
_REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def why_unsafe(pattern: str) -> str | None:
    """The problem of `pattern`, as the end of a sentence; None if it is safe."""
    if len(pattern) > _MAX_PATTERN:
        return f"has {len(pattern)} characters; at most {_MAX_PATTERN} are allowed"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(pattern, re.IGNORECASE)
            tree = _parser.parse(pattern, re.IGNORECASE)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    if compiled.search(""):
        return "matches the empty text, so it would always hold"
    if _nested(tree, inside=False):
        return (
            "has a repetition within a repetition, which can take exponential time; use possessive *+ or ++, or bounds"
        )
    return None


def _nested(tree: Any, *, inside: bool) -> bool:
    """True for a long repetition within a long repetition. Possessive and atomic ones cannot backtrack."""
    for operator, argument in tree:
        if operator in _REPEATS:
            _, most, body = argument
            long = most > _MANY
            if (long and inside) or _nested(body, inside=inside or long):
                return True
        elif any(_nested(part, inside=inside) for part in _children(operator, argument)):
            return True
    return False


def _children(operator: Any, argument: Any) -> list[Any]:
    if operator is _constants.BRANCH:
        return list(argument[1])
    if operator is _constants.SUBPATTERN:
        return [argument[-1]]
    if operator in (_constants.ASSERT, _constants.ASSERT_NOT):
        return [argument[1]]
    if operator is _constants.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part is not None]
    return []
