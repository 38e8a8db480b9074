"""Encodes examples as token ids and label ids."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tokenizers import Encoding, Tokenizer

from triage.errors import TrainingError
from triage.inference.spans import strip_span
from triage.training.data.examples import Entity, Example
from triage.training.data.labels import ASPECT_STATES, IGNORED, Taxonomy

WORD_MARK = "▁"
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one text and its label id or ids for each head, IGNORED where unknown.

    `tags` has one id per token, None if entities were not annotated; `allowed_tags` masks the tags that were
    annotated.
    """

    ids: list[int]
    intent: int
    sentiment: int
    tags: list[int] | None
    allowed_tags: tuple[bool, ...]
    aspects: tuple[int, ...] = ()
    """Index into ASPECT_STATES of each aspect of the taxonomy, IGNORED where it was not annotated."""


def load_tokenizer(path: str, max_tokens: int) -> Tokenizer:
    """Tokenizer that cuts texts at `max_tokens`. Raises TrainingError if the file is not a tokenizer."""
    try:
        tokenizer = Tokenizer.from_file(path)
    except Exception as error:  # the tokenizers library raises bare Exception
        raise TrainingError(f"{path} is not a Hugging Face tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def encode(examples: Sequence[Example], tokenizer: Tokenizer, taxonomy: Taxonomy) -> Iterator[Encoded]:
    """Encoded examples, in order; texts and their tags are cut at the tokenizer's limit."""
    intents = {label: index for index, label in enumerate(taxonomy.intents)}
    sentiments = {label: index for index, label in enumerate(taxonomy.sentiments)}
    tags = {label: index for index, label in enumerate(taxonomy.entity_tags)}
    for first in range(0, len(examples), _CHUNK):
        chunk = examples[first : first + _CHUNK]
        for example, encoding in zip(chunk, tokenizer.encode_batch([example.text for example in chunk]), strict=True):
            names = None
            if example.entities is not None:
                names = align_tags(example.text, encoding.offsets, _textless(encoding), example.entities)
            yield Encoded(
                ids=encoding.ids,
                intent=intents[example.intent] if example.intent else IGNORED,
                sentiment=sentiments[example.sentiment] if example.sentiment else IGNORED,
                tags=None if names is None else [IGNORED if name is None else tags[name] for name in names],
                allowed_tags=taxonomy.allowed_tags(example.known_types),
                aspects=aspect_states(example, taxonomy),
            )


def aspect_states(example: Example, taxonomy: Taxonomy) -> tuple[int, ...]:
    """Index into ASPECT_STATES of each aspect of the taxonomy, IGNORED where it was not annotated.

    An aspect that is praised and criticised in one text has no single polarity and is IGNORED.
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
    textless: Sequence[bool],
    entities: Iterable[Entity],
) -> list[str | None]:
    """BIO tag of each token; None for `textless` tokens (special tokens, lone word marks).

    `offsets` are the [start, end) code points of the tokens. A token belongs to an entity that covers at least half of
    its characters: Chinese tokens can cross the boundary of a name, and a token of an English text includes the space
    before the word.
    """
    tags: list[str | None] = []
    spans = sorted(entities, key=lambda entity: entity.start)
    begun: set[int] = set()
    for (start, end), is_textless in zip(offsets, textless, strict=True):
        start, end = strip_span(text, start, end)  # noqa: PLW2901
        if is_textless or start >= end:
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


def _textless(encoding: Encoding) -> list[bool]:
    """True for special tokens, and for the lone word mark that SentencePiece puts before a Chinese text."""
    return [
        bool(special) or token == WORD_MARK
        for token, special in zip(encoding.tokens, encoding.special_tokens_mask, strict=True)
    ]
