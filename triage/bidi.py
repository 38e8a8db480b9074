"""Isolates foreign text in a line of plain text, so that right-to-left characters do not reorder the surrounding text.

In HTML, `<bdi>` and `dir="auto"` do this.
"""

import unicodedata

_ISOLATE, _END = "\u2068", "\u2069"  # FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE
_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_FROM_RIGHT = frozenset({"R", "AL"})


def isolated(text: str) -> str:
    """Enclose a text that has right-to-left characters in Unicode isolate characters.

    Directional control characters inside it are removed. Other text (e.g. Latin or Chinese) is returned unchanged.
    """
    if text.isascii():
        return text
    classes = [unicodedata.bidirectional(char) for char in text]
    if _CONTROLS.union(_FROM_RIGHT).isdisjoint(classes):
        return text
    inner = "".join(char for char, kind in zip(text, classes, strict=True) if kind not in _CONTROLS)
    return f"{_ISOLATE}{inner}{_END}"


def closed(text: str) -> str:
    """Append the closing isolate characters that are missing because the text was cut."""
    return text + _END * max(0, text.count(_ISOLATE) - text.count(_END))
