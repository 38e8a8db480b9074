"""Texts of questions: what is searched, and in which language."""

import unicodedata

from triage.inference.language import identify

_SURROGATE = "Cs"


def clean(text: str, most_chars: int) -> str:
    """The text in one line, without control characters, cut at `most_chars`."""
    kept = "".join(
        " " if character.isspace() or unicodedata.category(character) in {"Cc", _SURROGATE} else character
        for character in text[: 4 * most_chars]
    )
    return " ".join(kept.split())[:most_chars]


def language_of(text: str, named: str | None) -> str:
    """The language that the caller names, as a primary subtag, else that of the text."""
    if named:
        return named.partition("-")[0].partition("_")[0].lower()
    return identify(text).code
