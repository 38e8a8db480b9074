"""Converts traditional Chinese characters to simplified ones, one for one, so that offsets stay the same.

For comparison only: stored text keeps its script. Both sides of a comparison are converted, so characters with several
simplified forms (著, 乾) match themselves. Words that differ between regions (簡訊 and 短信) are not converted.
"""

from importlib.resources import files


def _read() -> dict[int, str]:
    lines = (files("triage") / "han.txt").read_text("utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return {ord(traditional): simplified for traditional, simplified in zip(pairs[::2], pairs[1::2], strict=True)}


SIMPLIFIED: dict[int, str] = _read()
"""Simplified character by code point of the traditional one, for `str.translate`."""


def simplified(text: str) -> str:
    """Replace traditional Chinese characters by simplified ones, one for one, so that the length stays the same."""
    return text if text.isascii() else text.translate(SIMPLIFIED)
