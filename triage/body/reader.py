"""Finds the part of a message that its writer has just written, and whether anybody wrote at all."""

from dataclasses import dataclass

from triage.body.automatic import is_automatic
from triage.body.footer import without_footer
from triage.body.stand_ins import is_stand_in
from triage.body.thread import new_parts

_JOINT = "\n\n"


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a text to be classified, as (start, end) in code points; one part that is all of it for most texts.

    `quoted`: history was left out. `automatic`: a program wrote it. `no_text`: it stands where nobody wrote anything.
    """

    parts: tuple[tuple[int, int], ...]
    quoted: bool = False
    automatic: bool = False
    no_text: bool = False

    @property
    def written(self) -> bool:
        """A person wrote it."""
        return not (self.automatic or self.no_text)

    def is_all_of(self, text: str) -> bool:
        return self.parts == ((0, len(text)),)

    def text_in(self, text: str) -> str:
        """The parts of `text`, joined by an empty line."""
        if len(self.parts) == 1:
            start, end = self.parts[0]
            return text if end - start == len(text) else text[start:end]
        return _JOINT.join(text[start:end] for start, end in self.parts)

    def original(self, offset: int) -> int:
        """The offset in the whole text of one in `text_in`; within the joint, the end of the part before it."""
        for start, end in self.parts:
            length = end - start
            if offset <= length:
                return start + offset
            offset = max(0, offset - length - len(_JOINT))
        return self.parts[-1][1]


def read_body(text: str) -> Body:
    """Read a text without markup. Never leaves nothing: a text that is all quote or footer is read as it is."""
    if "\n" not in text and "\r" not in text:
        return Body(((0, len(text)),), automatic=is_automatic(text), no_text=is_stand_in(text))
    parts = new_parts(text)
    quoted = bool(parts)
    shortened = [(start, without_footer(text, start, end)) for start, end in parts or [(0, len(text))]]
    # A part that is footer alone, as a mobile client's line between answer and quote, is none of the message.
    body = Body(tuple(shortened), quoted=quoted)
    newest = body.text_in(text)
    return Body(body.parts, quoted, is_automatic(newest), is_stand_in(newest))
