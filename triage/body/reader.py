"""Finds the newly written part of a message, and whether a person wrote it."""

import msgspec

from triage.body.automatic import is_automatic
from triage.body.footer import without_footer
from triage.body.stand_ins import is_stand_in
from triage.body.thread import new_parts
from triage.types import TextParts


class Body(msgspec.Struct, frozen=True):
    """The newly written parts of a message, and whether a person wrote them.

    `parts` are to be classified; for most texts they are the whole text. `quoted` is True if quoted history was left
    out, `automatic` if a program wrote the message, `no_text` if it is a shop's default text for an empty comment.
    """

    parts: TextParts
    quoted: bool = False
    automatic: bool = False
    no_text: bool = False


def read_body(text: str) -> Body:
    """Find the newly written parts of a text without markup.

    There is always at least one part: a text of only quotes or footer is kept whole.
    """
    if "\n" not in text and "\r" not in text:
        return Body(TextParts(((0, len(text)),)), automatic=is_automatic(text), no_text=is_stand_in(text))
    new = new_parts(text)
    parts = TextParts(tuple((start, without_footer(text, start, end)) for start, end in new or [(0, len(text))]))
    written = parts.joined(text)
    return Body(parts, bool(new), is_automatic(written), is_stand_in(written))
