"""Texts of records as HTML, with parts of them marked. Offsets are code points."""

from collections.abc import Sequence
from html import escape

from triage.console.translations import Translations
from triage.schemas.enriched import Entity
from triage.schemas.explanation import Word

MAX_TEXT_CHARS = 400


def highlighted(text: str, entities: Sequence[Entity], words: Translations, limit: int = MAX_TEXT_CHARS) -> str:
    """The text with its entities marked. What lies beyond the cut is left out."""
    shown = cut(text, limit)
    end = len(shown) if shown == text else limit - 1
    marks = [
        (
            entity.start,
            entity.end,
            f'<mark class="{escape(entity.source)}" title="{escape(words.term("entity", entity.label))}">',
        )
        for entity in entities
    ]
    return _marked(shown, marks, end)


def weighed(text: str, explained: Sequence[Word]) -> str:
    """The text with the words that carried a decision: the stronger, the darker; those that spoke against it apart."""
    strongest = max((abs(word.weight) for word in explained), default=0.0) or 1.0
    marks = []
    for word in explained:
        level = max(1, round(3 * abs(word.weight) / strongest))
        kind = "for" if word.weight >= 0 else "against"
        marks.append((word.start, word.end, f'<mark class="w-{kind} w-{level}" title="{word.weight:+.2f}">'))
    return _marked(text, marks, len(text))


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _marked(text: str, marks: Sequence[tuple[int, int, str]], limit: int) -> str:
    parts, done = [], 0
    for start, end, tag in sorted(marks):
        if start < done or end > limit:
            continue
        parts += [escape(text[done:start]), tag, escape(text[start:end]), "</mark>"]
        done = end
    parts.append(escape(text[done:]))
    return "".join(parts)
