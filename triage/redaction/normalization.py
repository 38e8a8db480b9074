"""A copy of a text in which digits, letters and signs of any width are ASCII, with the way back to the original.

Recognizers read the copy; offsets are mapped back. NFKC of whole strings would change lengths, so it is applied a
character at a time, and only where one character stays one.
"""

import re
import unicodedata
from typing import NamedTuple

_RANGES = (
    (0x00A0, 0x00A0), (0x00B2, 0x00B3), (0x00B9, 0x00B9), (0x0660, 0x0669), (0x06F0, 0x06F9), (0x0966, 0x096F),
    (0x09E6, 0x09EF), (0x0E50, 0x0E59), (0x2000, 0x200A), (0x2010, 0x2015), (0x202F, 0x202F), (0x205F, 0x205F),
    (0x2070, 0x209C), (0x2212, 0x2212), (0x2460, 0x24E9), (0x24F5, 0x24FD), (0x2776, 0x2793), (0x3000, 0x3000),
    (0xFE10, 0xFE6B), (0xFF01, 0xFF5E), (0xFFE5, 0xFFE5), (0x1D400, 0x1D7FF),
)  # fmt: skip
# Commas, quotes and end marks keep their width: a Chinese ， ends a web address, an ASCII comma does not.
_SIGNS = "@.-+_/:#%()[]$=&~ "
# Soft hyphen, zero-width and direction marks, variation selectors, keycap: invisible, so a reader sees one number.
# U+E000 is private use, has no glyph, and marks what the recognizers have taken.
_INVISIBLE = re.compile("[\ue000\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u20e3\ufe00-\ufe0f\ufeff]")


def _table() -> dict[int, str]:
    table = {0xFFE5: "¥"}
    for first, last in _RANGES:
        for point in range(first, last + 1):
            char = chr(point)
            folded = unicodedata.normalize("NFKC", char)
            if unicodedata.category(char) == "Pd" or point == 0x2212:
                folded = "-"
            elif unicodedata.digit(char, None) is not None:
                folded = str(unicodedata.digit(char))
            if len(folded) == 1 and folded.isascii() and (folded.isalnum() or folded in _SIGNS):
                table[point] = folded
    return table


_TABLE = _table()


class Normalized(NamedTuple):
    """`positions[i]` is the position in the original of the copy's character `i`; None: the same."""

    text: str
    positions: list[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original of the non-empty stretch `start:end` of the copy."""
        return (start, end) if self.positions is None else (self.positions[start], self.positions[end - 1] + 1)


def normalize(text: str) -> Normalized:
    """Fold one text; ASCII comes back as it is."""
    if text.isascii():
        return Normalized(text, None)
    folded = text.translate(_TABLE)
    if not _INVISIBLE.search(folded):
        return Normalized(folded, None)
    index = [position for position, char in enumerate(folded) if not _INVISIBLE.match(char)]
    return Normalized("".join(folded[position] for position in index), index)
