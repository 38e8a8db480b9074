"""Examples to token ids and label ids."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from triage.errors import TrainingError
from triage.training.data.examples import Entity, Example
from triage.training.data.labels import ASPECT_STATES, IGNORED, Taxonomy

WORD_MARK = "▁"
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text in numbers. `tags` None: the text teaches nothing about entities."""

    ids: list[int]
    intent: int
    sentiment: int
    tags: list[int] | None
    allowed_tags: tuple[bool, ...]
    aspects: tuple[int, ...] = ()
    """Index into ASPECT_STATES of each aspect, IGNORED where it was not looked for."""


def load_tokenizer(path: str, max_tokens: int) -> Tokenizer:
    """Raises TrainingError if the file is no tokenizer."""
    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # the tokenizers library raises bare Exception
        raise TrainingError(f"{path} is no Hugging Face tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def encode(examples: Sequence[Example], tokenizer: Tokenizer, taxonomy: Taxonomy) -> Iterator[Encoded]:
    """In order; texts longer than the tokenizer's limit are cut, and their entities with them."""
    intents = {label: index for index, label in enumerate(taxonomy.intents)}
    sentiments = {label: index for index, label in enumerate(taxonomy.sentiments)}
    tags = {label: index for index, label in enumerate(taxonomy.entity_tags)}
    for first in range(0, len(examples), _CHUNK):
        chunk = examples[first : first + _CHUNK]
        for example, encoding in zip(chunk, tokenizer.encode_batch([example.text for example in chunk]), strict=True):
            names = None
            if example.entities is not None:
                names = align_tags(example.text, encoding.offsets, _blank(encoding), example.entities)
            yield Encoded(
                ids=encoding.ids,
                intent=intents[example.intent] if example.intent else IGNORED,
                sentiment=sentiments[example.sentiment] if example.sentiment else IGNORED,
                tags=None if names is None else [IGNORED if name is None else tags[name] for name in names],
                allowed_tags=taxonomy.allowed_tags(example.known_types),
                aspects=aspect_states(example, taxonomy),
            )


def aspect_states(example: Example, taxonomy: Taxonomy) -> tuple[int, ...]:
    """Index into ASPECT_STATES of each aspect of the taxonomy.

    An aspect spoken well and ill of in one text has no one polarity and is ignored.
    """
    if example.aspects is None:
        return (IGNORED,) * len(taxonomy.aspects)
    found: dict[str, set[str]] = {}
    for aspect, polarity in example.aspects:
        found.setdefault(aspect, set()).add(polarity)
    states = []
    for aspect in taxonomy.aspects:
        polarities = found.get(aspect, {"absent"} if aspect in example.known_aspects else set())
        opinions = polarities - {"neutral"} or polarities
        states.append(ASPECT_STATES.index(next(iter(opinions))) if len(opinions) == 1 else IGNORED)
    return tuple(states)


def align_tags(
    text: str,
    offsets: Sequence[tuple[int, int]],
    blank: Sequence[bool],
    entities: Iterable[Entity],
) -> list[str | None]:
    """BIO tag of each token, None for `blank` ones (special tokens, lone word marks).

    A token belongs to an entity that covers at least half of its letters: Chinese pieces can cross the border
    of a name, and a piece of an English text carries the blank before it.
    """
    tags: list[str | None] = []
    spans = sorted(entities, key=lambda entity: entity.start)
    begun: set[int] = set()
    for (start, end), is_blank in zip(offsets, blank, strict=True):
        start, end = strip_blanks(text, start, end)  # noqa: PLW2901
        if is_blank or start >= end:
            tags.append(None)
            continue
        name = "O"
        for index, entity in enumerate(spans):
            overlap = min(end, entity.end) - max(start, entity.start)
            if overlap * 2 >= end - start and overlap > 0:
                name = f"{'I' if index in begun else 'B'}-{entity.label}"
                begun.add(index)
                break
        tags.append(name)
    return tags


def _blank(encoding: Encoding) -> list[bool]:
    """Special tokens, and the word mark that SentencePiece puts alone before a Chinese text."""
    return [
        bool(special) or piece == WORD_MARK
        for piece, special in zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
    ]


def strip_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
