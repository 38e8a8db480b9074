"""Examples: texts with labels for some or all heads. A text trains only the heads that it has labels for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity; `start` and `end` are code points of the text (end exclusive), `label` is an entity type."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Example:
    """One text with partial labels; None means that the text was not annotated for that head.

    `known_types` are the entity types that the annotators marked, `known_aspects` the aspects. Only for these does a
    missing annotation mean absence: a corpus that never tags products may contain them. The loss ignores all other
    types and aspects. `aspects` are (aspect, polarity) pairs.
    """

    text: str
    source: str
    intent: str | None = None
    sentiment: str | None = None
    entities: tuple[Entity, ...] | None = None
    known_types: tuple[str, ...] = ()
    aspects: tuple[tuple[str, str], ...] | None = None
    known_aspects: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """True if the text has a label for any head."""
        return any(label is not None for label in (self.intent, self.sentiment, self.entities, self.aspects))
