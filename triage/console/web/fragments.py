"""Parts that several pages have, as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from triage.console.web.templates import TEMPLATES, render
from triage.translations import Translations

NOTHING = Markup()


@dataclass(frozen=True)
class Tile:
    """One number at the top of a page; `hot` asks for attention, `href` leads to more about it."""

    name: str
    value: str
    note: str
    hot: bool = False
    href: str = ""


def tile_row(tiles: Sequence[Tile]) -> Markup:
    """Numbers in a row."""
    return TEMPLATES.render("web/tiles.html", tiles=tiles)


def banner(error: str | None, translations: Translations, *, known: bool) -> Markup:
    """An error and its consequences; empty without one. `known`: earlier numbers are on the page."""
    return NOTHING if error is None else render("web/banner.html", translations, error=error, known=known)


def empty(title: str, advice: str) -> Markup:
    """In place of a list without entries; `advice` may be Markup."""
    return TEMPLATES.render("web/empty.html", title=title, advice=advice)


def isolated(text: str) -> Markup:
    """A text of others within a sentence, with a direction of its own."""
    return Markup("<bdi>{}</bdi>").format(text)


def not_read(error: str | None, translations: Translations) -> Markup:
    """In place of what has not been read yet."""
    name = "nothing_read" if error else "reading"
    return empty(translations(f"error.{name}"), translations(f"error.{name}_advice"))
