"""Redacts the author's own id in the record's text and fields, as in "my customer number is C-1002345"."""

import json
import re

from triage.decoding import DecodeError, decoded
from triage.redaction.kinds import KINDS, LABELS, REMOVED
from triage.schemas.raw import text_of_id

_MIN_CHARS = 5
_PLACEHOLDERS = " ".join([*LABELS, REMOVED]).casefold()
_VALUE = r"[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<value>[^\s\"',;&{}\[\]]{1,200})"
_AUTHOR = re.compile(rf"[\"']?author_id{_VALUE}")
_SOURCE = re.compile(rf"(?<![A-Za-z0-9_.\-])source{_VALUE}")


def mask_author(text: str, author_id: str | None) -> str:
    """Replace the author's id by `[HANDLE]` wherever it is a whole word of the text, ignoring case.

    Only ids of at least five characters with a digit or punctuation are replaced, because `anna` and `customer` are
    also ordinary words. None for `author_id` changes nothing.
    """
    if not author_id or len(author_id) < _MIN_CHARS or author_id.isalpha():
        return text
    needle = author_id.casefold()
    # An id that is part of a placeholder would be found again in its own replacement.
    if needle in _PLACEHOLDERS or needle not in text.casefold():
        return text
    whole_word = rf"(?<![0-9A-Za-z_]){re.escape(author_id)}(?![0-9A-Za-z_])"
    return re.sub(whole_word, KINDS["handle"].placeholder, text, flags=re.IGNORECASE)


def writer_of(payload: str) -> tuple[str | None, str] | None:
    """Read the source and the author's id from a raw payload, even if it is not valid JSON.

    None if it names no author; the source is None if the payload has none.
    """
    try:
        fields = decoded(json.loads, payload)
    except DecodeError:
        found, named = _AUTHOR.search(payload), _SOURCE.search(payload)
        return (named and named["value"], found["value"]) if found else None
    author = _scalar(fields.get("author_id")) if isinstance(fields, dict) else None
    return None if author is None else (_scalar(fields.get("source")), author)


def author_of(payload: str) -> str | None:
    """The author's id in a raw payload, even if it is not valid JSON; None if the payload names no author."""
    writer = writer_of(payload)
    return writer[1] if writer else None


def _scalar(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        return None
    return text_of_id(value)
