r"""Translates Python's regular expressions for RE2, over an alphabet of bytes.

Every character of a text becomes one byte; all characters that the expression does not distinguish become the same
byte. So RE2 needs no Unicode, the offsets are those of the text, and classes, cases and boundaries are those of `re`:
if the expression has `\b`, letters become bytes that RE2 treats as letters.
"""

import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

from triage.han import SIMPLIFIED
from triage.rules.characters import EVERY, NEWLINE, Ranges, category, complement, in_any_case, union

_MAX_REPEATS = 1_000
_CACHED = 20_000
_WORD_BYTES = bytes(byte for byte in range(128) if chr(byte).isalnum()) + b"_"
_OTHER_BYTES = bytes(byte for byte in range(256) if byte not in _WORD_BYTES and byte != 10)
_CATEGORIES = {
    _constants.CATEGORY_WORD: (r"\w", False),
    _constants.CATEGORY_NOT_WORD: (r"\w", True),
    _constants.CATEGORY_DIGIT: (r"\d", False),
    _constants.CATEGORY_NOT_DIGIT: (r"\d", True),
    _constants.CATEGORY_SPACE: (r"\s", False),
    _constants.CATEGORY_NOT_SPACE: (r"\s", True),
}
_REFUSED = {
    _constants.ASSERT: "looks ahead or behind, (?=...) or (?<=...): match what surrounds it, too",
    _constants.ASSERT_NOT: "looks ahead or behind, (?!...) or (?<!...): exclude it by a condition `not`, "
    "or match the character next to it, e.g. (?:^|[^0-9])",
    _constants.GROUPREF: "refers to a group (backreference): write out what may be repeated",
    _constants.GROUPREF_EXISTS: "depends on a group, (?(1)...): write out both cases with |",
}
# Python 3.11 and newer have these.
_REFUSED |= {
    _constants.POSSESSIVE_REPEAT: "has a possessive repetition (*+, ++, ?+): remove the last +, no repetition is slow",
    _constants.ATOMIC_GROUP: "has an atomic group (?>...): write (?:...), no group is slow",
}


class RefusedError(ValueError):
    """A regular expression cannot be used.

    The message is the end of a sentence about the expression, and says what to write instead.
    """


class Alphabet:
    """Encodes texts for one translated expression: maps each character to the byte that stands for it. Thread-safe."""

    def __init__(self, starts: list[int], byte_of: list[int]) -> None:
        """Create the mapping: characters from `starts[i]` up to the next start become `byte_of[i]`."""
        self._known = _Known(starts, byte_of)
        self._ascii = bytes(self._known[code] for code in range(128)) + bytes(128)

    def encode(self, text: str) -> bytes:
        """Encode a text for RE2: each character becomes the byte that stands for it."""
        if text.isascii():
            return text.encode().translate(self._ascii)
        return text.translate(self._known).encode("latin-1")


class _Known(dict[int, int]):
    """Cache of the bytes of characters that texts had so far; they are those of their simplified characters.

    It is limited, because whoever writes texts could fill the memory.
    """

    def __init__(self, starts: list[int], byte_of: list[int]) -> None:
        super().__init__()
        self._starts = starts
        self._byte_of = byte_of

    def __missing__(self, code: int) -> int:
        if len(self) >= _CACHED:
            self.clear()
        # The pattern is in simplified characters, so the text is read in them too.
        folded = ord(SIMPLIFIED.get(code, chr(code)))
        byte = self[code] = self._byte_of[bisect_right(self._starts, folded) - 1]
        return byte


def translate(pattern: str) -> tuple[bytes, Alphabet]:
    """Translate an expression of Python's `re` for RE2, ignoring case.

    Returns the expression in Latin-1 and without groups, and the alphabet that encodes texts for it. Raises
    RefusedError for an expression that is invalid, or that RE2 cannot match.
    """
    return _Translation(_parsed(pattern)).result()


def _parsed(pattern: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = _parser.parse(pattern, re.IGNORECASE)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        raise RefusedError(f"is not a regular expression: {error}") from error
    if tree.state.flags & re.ASCII:
        raise RefusedError("has the flag a: write [a-z0-9_] instead of \\w, and [0-9] instead of \\d")
    return tree


class _Translation:
    def __init__(self, tree: Any) -> None:
        self._sets: dict[Ranges, int] = {NEWLINE: 0}
        self._boundaries = False
        try:
            self._parts = list(self._sequence(tree, tree.state.flags))
        except RecursionError as error:
            raise RefusedError("is nested too deeply") from error

    def result(self) -> tuple[bytes, Alphabet]:
        word = self._number(category(r"\w")) if self._boundaries else None
        starts, kinds = _kinds(list(self._sets))
        byte_of = _bytes_of(set(kinds), word)
        classes = [
            b"[%s]" % b"".join(b"\\x%02x" % byte for kind, byte in byte_of.items() if kind >> number & 1)
            if any(kind >> number & 1 for kind in byte_of)
            else b"[^\\x00-\\xff]"
            for number in range(len(self._sets))
        ]
        rendered = b"".join(classes[part] if isinstance(part, int) else part for part in self._parts)
        return rendered, Alphabet(starts, [byte_of[kind] for kind in kinds])

    def _number(self, ranges: Ranges) -> int:
        return self._sets.setdefault(ranges, len(self._sets))

    def _sequence(self, tree: Any, flags: int) -> Iterator[bytes | int]:
        for operator, argument in tree:
            yield from self._one(operator, argument, flags)

    def _one(self, operator: Any, argument: Any, flags: int) -> Iterator[bytes | int]:
        match operator:
            case _constants.LITERAL | _constants.NOT_LITERAL | _constants.ANY | _constants.IN:
                yield self._number(_characters(operator, argument, flags))
            case _constants.AT:
                yield self._position(argument, flags)
            case _constants.BRANCH:
                yield b"(?:"
                for number, branch in enumerate(argument[1]):
                    yield b"|" if number else b""
                    yield from self._sequence(branch, flags)
                yield b")"
            case _constants.SUBPATTERN:
                _, added, removed, body = argument
                yield b"(?:"
                yield from self._sequence(body, (flags | added) & ~removed)
                yield b")"
            case _constants.MAX_REPEAT | _constants.MIN_REPEAT:
                least, most, body = argument
                yield b"(?:"
                yield from self._sequence(body, flags)
                yield b")" + _times(least, most) + (b"?" if operator is _constants.MIN_REPEAT else b"")
            case _:
                raise RefusedError(_REFUSED.get(operator, f"has a part that is not supported: {operator}"))

    def _position(self, where: Any, flags: int) -> bytes:
        if where in {_constants.AT_BOUNDARY, _constants.AT_NON_BOUNDARY}:
            self._boundaries = True
            return b"\\b" if where is _constants.AT_BOUNDARY else b"\\B"
        if where is _constants.AT_BEGINNING_STRING:
            return b"\\A"
        if where is _constants.AT_END_STRING:
            return b"\\z"
        lines = flags & re.MULTILINE
        if where is _constants.AT_BEGINNING:
            return b"(?m:^)" if lines else b"\\A"
        # Without the flag m, `re` lets $ match before a line feed at the end, too.
        return b"(?m:$)" if lines else b"(?:\\n?\\z)"


def _times(least: int, most: Any) -> bytes:
    if least > _MAX_REPEATS or (most is not _constants.MAXREPEAT and most > _MAX_REPEATS):
        raise RefusedError(f"repeats more than {_MAX_REPEATS:,} times: use * or +, or a lower number")
    if most is _constants.MAXREPEAT:
        return b"{%d,}" % least
    return b"{%d,%d}" % (least, most)


def _characters(operator: Any, argument: Any, flags: int) -> Ranges:
    if operator is _constants.ANY:
        return EVERY if flags & re.DOTALL else complement(NEWLINE)
    if operator is _constants.IN:
        return _class(argument, flags)
    found = _cased(((argument, argument),), flags)
    return complement(found) if operator is _constants.NOT_LITERAL else found


def _class(items: Any, flags: int) -> Ranges:
    negated = False
    plain: list[tuple[int, int]] = []
    categories: list[Ranges] = []
    for operator, argument in items:
        if operator is _constants.NEGATE:
            negated = True
        elif operator is _constants.CATEGORY:
            name, inverted = _CATEGORIES[argument]
            categories.append(complement(category(name)) if inverted else category(name))
        else:
            plain.append((argument, argument) if operator is _constants.LITERAL else argument)
    found = union(_cased(union(plain), flags), *categories)
    return complement(found) if negated else found


def _cased(ranges: Ranges, flags: int) -> Ranges:
    return in_any_case(ranges) if flags & re.IGNORECASE else ranges


def _kinds(sets: list[Ranges]) -> tuple[list[int], list[int]]:
    """Divide all characters into runs within which no set begins or ends.

    Returns the start of each run, and as bits the numbers of the sets that contain it.
    """
    toggles: dict[int, int] = {0: 0}
    for number, ranges in enumerate(sets):
        for first, last in ranges:
            toggles[first] = toggles.get(first, 0) ^ 1 << number
            toggles[last + 1] = toggles.get(last + 1, 0) ^ 1 << number
    starts = sorted(toggles)
    kinds = []
    kind = 0
    for start in starts:
        kind ^= toggles[start]
        kinds.append(kind)
    return starts, kinds


def _bytes_of(kinds: set[int], word: int | None) -> dict[int, int]:
    """Assign a byte to each kind of character, i.e. to the characters that are in the same sets.

    The line feed, whose kind has bit 0, keeps its own. `word` is the number of the set of letters, None if it does not
    matter. Raises RefusedError if there are too many kinds.
    """
    words, others = iter(_WORD_BYTES), iter(_OTHER_BYTES if word is not None else _OTHER_BYTES + _WORD_BYTES)
    byte_of = {}
    try:
        for kind in sorted(kinds):
            letter = word is not None and kind >> word & 1
            byte_of[kind] = 10 if kind & 1 else next(words if letter else others)
    except StopIteration:
        where = " with \\b" if word is not None else ""
        raise RefusedError(f"tells too many characters apart{where}: write several expressions, as a list") from None
    return byte_of
