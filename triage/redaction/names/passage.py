"""Selects the parts of a text to replace: its names, other mentions of the record's names, and addresses."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from triage.redaction.kinds import NAME_PLACEHOLDERS, PLACEHOLDER
from triage.redaction.names.addresses import find_addresses
from triage.redaction.names.edits import Edit, Edited, Range, joined, merged, outside, overlaps
from triage.redaction.names.mentions import Mentions, mentions_of
from triage.types import Span

PERSON, LOCATION = "person", "location"
_NAMED_THINGS = ("organization", "product")
_CERTAIN = 1.0
_FIRST_HAN = "\u3400"


@dataclass(frozen=True)
class Names:
    """The persons' names to replace in the texts of one record.

    `mentions` finds them (None if there are none). `kept` are names that are not replaced, because they are also part
    of the brand or product. `sold` are the brand and product.
    """

    mentions: Mentions | None
    kept: frozenset[str]
    sold: tuple[str, ...]


@dataclass(frozen=True)
class Passage:
    """One text of a record, and the spans that the entity head found in it."""

    text: str
    spans: Sequence[Span] = ()

    def names(self) -> Iterator[str]:
        """Yield the persons' names found in the text, without placeholders inside them."""
        for _, start, end in self._persons():
            yield self.text[start:end]

    def edited(self, names: Names) -> Edited | None:
        """Return the text with its names and addresses replaced; None if it has none."""
        edits = [*self._name_edits(names), *self._address_edits()]
        if not edits:
            return None
        return Edited(self.text, merged(self._outside_placeholders(edits)))

    def _persons(self) -> Iterator[tuple[Span, int, int]]:
        placeholders = self._placeholders()
        for span in self.spans:
            if span.label == PERSON:
                for start, end in outside(span.start, span.end, placeholders):
                    if _names_somebody(self.text[start:end]):
                        yield span, start, end

    def _name_edits(self, names: Names) -> Iterator[Edit]:
        for span, start, end in self._persons():
            if self.text[start:end] not in names.kept:
                yield _edit(PERSON, start, end, span.confidence, "model")
        if names.mentions is None:
            return
        for start, end in names.mentions.whole(self.text):
            yield _edit(PERSON, start, end, _CERTAIN, "rule")
        words = names.mentions.words(self.text)
        things = self._things(names.sold) if words else []
        for start, end in words:
            if not overlaps(start, end, things):
                yield _edit(PERSON, start, end, _CERTAIN, "rule")

    def _things(self, sold: Collection[str]) -> list[Range]:
        """Ranges of organizations and products, from the entity head or the record's own brand and product."""
        things = [(span.start, span.end) for span in self.spans if span.label in _NAMED_THINGS]
        for value in sold:
            at = self.text.find(value)
            while at >= 0:
                things.append((at, at + len(value)))
                at = self.text.find(value, at + len(value))
        return joined(things)

    def _address_edits(self) -> Iterator[Edit]:
        locations = sorted((span.start, span.end) for span in self.spans if span.label == LOCATION)
        for start, end in find_addresses(self.text, locations):
            yield _edit(LOCATION, start, end, _CERTAIN, "rule")

    def _outside_placeholders(self, edits: Sequence[Edit]) -> Iterator[Edit]:
        placeholders = self._placeholders()
        for edit in edits:
            for start, end in outside(edit.start, edit.end, placeholders):
                if any(char.isalnum() for char in self.text[start:end]):
                    yield edit._replace(start=start, end=end)

    def _placeholders(self) -> list[Range]:
        return [match.span() for match in PLACEHOLDER.finditer(self.text)] if "[" in self.text else []


def names_of(passages: Sequence[Passage], sold: tuple[str, ...]) -> Names:
    """Collect the names from all texts of a record; `sold` has its brand and product."""
    names = frozenset(name for passage in passages for name in passage.names())
    text = "\n".join(sold)
    kept = frozenset(name for name in names if text and (one := mentions_of([name])) and one.whole(text))
    return Names(mentions_of(names - kept), kept, sold)


def _names_somebody(value: str) -> bool:
    """True if the characters can be a person's name.

    False for signs, and for a single Chinese character, which is hardly ever a whole name.
    """
    letters = [char for char in value if char.isalpha()]
    return bool(letters) and (len(letters) > 1 or letters[0] < _FIRST_HAN)


def _edit(label: str, start: int, end: int, confidence: float, source: str) -> Edit:
    return Edit(start, end, label, NAME_PLACEHOLDERS[label], confidence, source)
