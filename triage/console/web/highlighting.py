"""Highlights parts of a record's text as HTML. Offsets are Unicode code points."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from triage.console.web.templates import TEMPLATES
from triage.schemas.enriched import Entity
from triage.schemas.explanation import Word
from triage.translations import Translations

MAX_TEXT_CHARS = 400


@dataclass(frozen=True)
class _Span:
    """A part of the text; it is highlighted if it has a CSS class."""

    text: str
    css: str = ""
    title: str = ""


def highlighted(
    text: str, entities: Sequence[Entity], translations: Translations, limit: int = MAX_TEXT_CHARS
) -> Markup:
    """Render the first `limit` characters of the text, with its entities highlighted."""
    shown = cut(text, limit)
    end = len(shown) if shown == text else limit - 1
    marks = [
        (entity.start, entity.end, entity.source, translations.term("entity", entity.label)) for entity in entities
    ]
    return TEMPLATES.render("web/highlighted.html", spans=_spans(shown, marks, end))


def weighed(text: str, explained: Sequence[Word]) -> Markup:
    """Render the text with its words coloured by weight: darker if larger, another colour if against the label."""
    strongest = max((abs(word.weight) for word in explained), default=0.0) or 1.0
    marks = []
    for word in explained:
        level = max(1, round(3 * abs(word.weight) / strongest))
        kind = "for" if word.weight >= 0 else "against"
        marks.append((word.start, word.end, f"w-{kind} w-{level}", f"{word.weight:+.2f}"))
    return TEMPLATES.render("web/highlighted.html", spans=_spans(text, marks, len(text)))


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _spans(text: str, marks: Sequence[tuple[int, int, str, str]], limit: int) -> list[_Span]:
    """Split the text into parts at the marks (start, end, CSS class, title).

    A mark that overlaps an earlier one or ends after `limit` is left out.
    """
    spans, done = [], 0
    for start, end, css, title in sorted(marks):
        if start < done or end > limit:
            continue
        spans += [_Span(text[done:start]), _Span(text[start:end], css, title)]
        done = end
    return [*spans, _Span(text[done:])]
