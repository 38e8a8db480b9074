"""Token-tagged corpora (BIO) to texts with character spans: tokens are joined as people write them."""

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
    """`tokens` and BIO `tags`; the entry has `types` (their type to ours or null), `script` and `known_types`.

    A constant `intent` or `sentiment` in the entry is given to every text (weak labels).
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
        # "@" and a name are one handle, which the deterministic recognizers find: no entity for the model.
        entities = [e for e in entities if not (text[e.start] == "@" or (e.start and text[e.start - 1] == "@"))]
        yield Example(text, source, intent=intent, entities=tuple(entities), known_types=tuple(entry["known_types"]))


def join_tokens(tokens: Sequence[str], *, chinese: bool) -> tuple[str, list[tuple[int, int]]]:
    """The text, and the [start, end) code points of each token in it."""
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
    """(first token, last token, our type) of each entity; types mapped to null are dropped. IOB repaired: a
    stray I- starts an entity."""
    spans: list[tuple[int, int, str]] = []
    open_type: str | None = None
    for index, tag in enumerate(tags):
        prefix, _, theirs = tag.partition("-")
        if prefix == "O":
            open_type = None
            continue
        if theirs not in types:
            raise TrainingError(
                f"{source}: entity type {theirs!r} is in no map; name it under {source} in sources.yaml"
            )
        ours = types[theirs]
        if prefix == "I" and open_type == theirs:
            if ours:
                spans[-1] = (spans[-1][0], index, ours)
        elif ours:
            spans.append((index, index, ours))
        open_type = theirs
    return spans
