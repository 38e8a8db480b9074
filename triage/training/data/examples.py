"""What every reader gives: a text and the labels it has. A head without a label learns nothing from the text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity; `start` and `end` are code points of the text, `label` an entity type of the taxonomy."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Example:
    """One text. `entities` None: never annotated. `known_types`: the types its annotators looked for.

    `known_types` is what keeps a corpus that never tags products from teaching that products are no entities:
    the loss leaves the other types' tags out of its softmax, so they are neither rewarded nor punished.
    `aspects` are (aspect, polarity) pairs, None where never annotated; `known_aspects` those that were looked for,
    whose absence therefore means something.
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
        return any(label is not None for label in (self.intent, self.sentiment, self.entities, self.aspects))
