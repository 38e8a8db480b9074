"""Texts of others within a line of plain text: a name that reads from the right turns nothing around it.

HTML has `<bdi>` and `dir="auto"` for this.
"""

import unicodedata

_ISOLATE, _END = "\u2068", "\u2069"  # FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE
_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_FROM_RIGHT = frozenset({"R", "AL"})


def isolated(text: str) -> str:
    """The text between isolating characters, without directional controls of its own; Latin and Chinese stay as is."""
    if text.isascii():
        return text
    classes = [unicodedata.bidirectional(char) for char in text]
    if _CONTROLS.union(_FROM_RIGHT).isdisjoint(classes):
        return text
    inner = "".join(char for char, kind in zip(text, classes, strict=True) if kind not in _CONTROLS)
    return f"{_ISOLATE}{inner}{_END}"


def closed(text: str) -> str:
    """A text that was cut, with the ends of the isolates that its rest had."""
    return text + _END * max(0, text.count(_ISOLATE) - text.count(_END))
