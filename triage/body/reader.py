"""Finds the part of a message that its writer has just written, and whether anybody wrote at all."""

from dataclasses import dataclass

from triage.body.automatic import is_automatic
from triage.body.footer import without_footer
from triage.body.stand_ins import is_stand_in
from triage.body.thread import new_parts
from triage.types import TextParts


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a message that its writer has newly written.

    `parts` are to be classified: all of it for most texts.

    `quoted`: history was left out. `automatic`: a program wrote it. `no_text`: it stands where nobody wrote anything.
    """

    parts: TextParts
    quoted: bool = False
    automatic: bool = False
    no_text: bool = False


def read_body(text: str) -> Body:
    """Read a text without markup. Never leaves nothing: a text that is all quote or footer is read as it is."""
    if "\n" not in text and "\r" not in text:
        return Body(TextParts(((0, len(text)),)), automatic=is_automatic(text), no_text=is_stand_in(text))
    new = new_parts(text)
    parts = TextParts(tuple((start, without_footer(text, start, end)) for start, end in new or [(0, len(text))]))
    written = parts.joined(text)
    return Body(parts, bool(new), is_automatic(written), is_stand_in(written))
