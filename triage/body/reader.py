"""Finds the part of a message that its writer has just written, and whether anybody wrote at all."""

from dataclasses import dataclass

from triage.body.automatic import is_automatic
from triage.body.footer import without_footer
from triage.body.stand_ins import is_stand_in
from triage.body.thread import new_parts
from triage.types import TextParts


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a message that its writer has newly written, and whether a person wrote them.

    `parts` are to be classified; for most texts they are all of it. `quoted` is True if quoted history was left out,
    `automatic` if a program wrote the message, `no_text` if it is the text that a shop puts where a customer wrote
    nothing.
    """

    parts: TextParts
    quoted: bool = False
    automatic: bool = False
    no_text: bool = False


def read_body(text: str) -> Body:
    """Find the newly written parts of a text without markup.

    The parts are never empty: a text that is all quote or footer is read as it is.
    """
    if "\n" not in text and "\r" not in text:
        return Body(TextParts(((0, len(text)),)), automatic=is_automatic(text), no_text=is_stand_in(text))
    new = new_parts(text)
    parts = TextParts(tuple((start, without_footer(text, start, end)) for start, end in new or [(0, len(text))]))
    written = parts.joined(text)
    return Body(parts, bool(new), is_automatic(written), is_stand_in(written))
