"""Normalizes digits, letters and punctuation of any width to ASCII, and maps offsets back to the original text.

Recognizers search the normalized copy. NFKC of a whole string would change its length, so it is applied per character,
and only where the result is one character.
"""

import re
import unicodedata
from typing import NamedTuple

from triage.han import SIMPLIFIED

_RANGES = (
    (0x00A0, 0x00A0), (0x00B2, 0x00B3), (0x00B9, 0x00B9), (0x0660, 0x0669), (0x06F0, 0x06F9), (0x0966, 0x096F),
    (0x09E6, 0x09EF), (0x0E50, 0x0E59), (0x2000, 0x200A), (0x2010, 0x2015), (0x202F, 0x202F), (0x205F, 0x205F),
    (0x2070, 0x209C), (0x2212, 0x2212), (0x2460, 0x24E9), (0x24F5, 0x24FD), (0x2776, 0x2793), (0x3000, 0x3000),
    (0xFE10, 0xFE6B), (0xFF01, 0xFF5E), (0xFFE5, 0xFFE5), (0x1D400, 0x1D7FF),
)  # fmt: skip
# Commas, quotes and full stops keep their width: a Chinese ， ends a web address, an ASCII comma does not.
_SIGNS = "@.-+_/:#%()[]$=&~ "
# Soft hyphen, zero-width and direction marks, variation selectors, keycap: invisible, so a reader sees one number.
# U+E000 is in the private use area, has no glyph, and masks what recognizers have found.
_INVISIBLE = re.compile("[\ue000\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u20e3\ufe00-\ufe0f\ufeff]")


def _table() -> dict[int, str]:
    table = {**SIMPLIFIED, 0xFFE5: "¥"}
    for first, last in _RANGES:
        for point in range(first, last + 1):
            char = chr(point)
            normalized = unicodedata.normalize("NFKC", char)
            if unicodedata.category(char) == "Pd" or point == 0x2212:
                normalized = "-"
            elif unicodedata.digit(char, None) is not None:
                normalized = str(unicodedata.digit(char))
            if len(normalized) == 1 and normalized.isascii() and (normalized.isalnum() or normalized in _SIGNS):
                table[point] = normalized
    return table


_TABLE = _table()


class Normalized(NamedTuple):
    """A text in the form that patterns are matched on, with the mapping to the original.

    `positions[i]` is the original position of character `i`; None if all positions are the same.
    """

    text: str
    positions: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Map the non-empty span `start:end` to offsets in the original text."""
        return (start, end) if self.positions is None else (self.positions[start], self.positions[end - 1] + 1)


def normalize(text: str) -> Normalized:
    """Normalize characters of any width to ASCII where possible; ASCII is returned unchanged."""
    if text.isascii():
        return Normalized(text, None)
    normalized = text.translate(_TABLE)
    if not _INVISIBLE.search(normalized):
        return Normalized(normalized, None)
    index = [position for position, char in enumerate(normalized) if not _INVISIBLE.match(char)]
    return Normalized("".join(normalized[position] for position in index), index)
