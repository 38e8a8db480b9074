"""Reads token-tagged corpora (BIO): joins the tokens to a text with normal spacing and the tags to character spans."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from triage.errors import TrainingError
from triage.training.data.examples import Entity, Example

_NO_SPACE_BEFORE = re.compile(r"^(?:[.,!?;:%)\]}…]+|'(?:s|S|m|re|ve|ll|d|t)|n't|’(?:s|m|re|ve|ll|d|t))$")
_NO_SPACE_AFTER = re.compile(r"^(?:[(\[{$£€]|@|#)$")
_WORD = re.compile(r"^[0-9A-Za-z]")
_WORD_END = re.compile(r"[0-9A-Za-z]$")


def read_tagged(source: str, rows: list[dict[str, Any]], entry: dict[str, Any]) -> Iterable[Example]:
    """Yield examples from rows with `tokens` and BIO `tags`.

    `entry` is the source's entry in sources.yaml: `types` maps the corpus's entity types to those of the taxonomy or to
    null, `known_types` lists the annotated ones, `script` is optional. A constant `intent` there labels every text.
    """
    types: dict[str, str | None] = entry["types"]
    intent = entry.get("intent", {}).get("constant")
    for row in rows:
        tokens = [token or " " for token in row["tokens"]]
        if not tokens:
            continue
        text, offsets = join_tokens(tokens, chinese=entry.get("script") == "chinese")
        spans = tag_spans(source, row["tags"], types)
        entities = [Entity(offsets[first][0], offsets[last][1], label) for first, last, label in spans]
        # "@" and a name form a handle, which the deterministic recognizers find: it is not an entity for the model.
        entities = [e for e in entities if not (text[e.start] == "@" or (e.start and text[e.start - 1] == "@"))]
        yield Example(text, source, intent=intent, entities=tuple(entities), known_types=tuple(entry["known_types"]))


def join_tokens(tokens: Sequence[str], *, chinese: bool) -> tuple[str, list[tuple[int, int]]]:
    """Join tokens to a text; returns it with the [start, end) code points of each token.

    If `chinese`, only Latin words are separated by spaces.
    """
    text = tokens[0]
    offsets = [(0, len(tokens[0]))]
    for before, token in pairwise(tokens):
        if chinese:
            spaced = bool(_WORD_END.search(before) and _WORD.match(token)) and len(before) + len(token) > 2
        else:
            spaced = not (_NO_SPACE_BEFORE.match(token) or _NO_SPACE_AFTER.match(before))
        start = len(text) + spaced
        text += " " * spaced + token
        offsets.append((start, start + len(token)))
    return text, offsets


def tag_spans(source: str, tags: Sequence[str], types: dict[str, str | None]) -> list[tuple[int, int, str]]:
    """Find the entities: (first token, last token, type of the taxonomy); types mapped to null are dropped.

    An I- tag that does not continue an entity starts one. Raises TrainingError for a type that is not in `types`.
    """
    spans: list[tuple[int, int, str]] = []
    open_type: str | None = None
    for index, tag in enumerate(tags):
        prefix, _, corpus_type = tag.partition("-")
        if prefix == "O":
            open_type = None
            continue
        if corpus_type not in types:
            raise TrainingError(
                f"{source}: entity type {corpus_type!r} is not in the map; add it under {source} in sources.yaml"
            )
        entity_type = types[corpus_type]
        if prefix == "I" and open_type == corpus_type:
            if entity_type:
                spans[-1] = (spans[-1][0], index, entity_type)
        elif entity_type:
            spans.append((index, index, entity_type))
        open_type = corpus_type
    return spans
