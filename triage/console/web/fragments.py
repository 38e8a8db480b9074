"""HTML parts that several pages use."""

from collections.abc import Iterable, Sequence
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
    """Render tiles in a row."""
    return TEMPLATES.render("web/tiles.html", tiles=tiles)


def banner(error: str | None, translations: Translations, *, known: bool) -> Markup:
    """Render an error and its consequences; empty if `error` is None. `known`: the page still shows earlier numbers."""
    return NOTHING if error is None else render("web/banner.html", translations, error=error, known=known)


def incomplete(gaps: Iterable[str], translations: Translations) -> Markup:
    """Render what the data of a page lack (`triage.elastic.completeness.Gaps`); empty if they lack nothing."""
    listed = list(dict.fromkeys(gaps))
    return render("web/incomplete.html", translations, gaps=listed) if listed else NOTHING


def empty(title: str, advice: str) -> Markup:
    """Render a note in place of a list without entries; `advice` may be Markup."""
    return TEMPLATES.render("web/empty.html", title=title, advice=advice)


def isolated(text: str) -> Markup:
    """Text from a record within a sentence, as `<bdi>`, so that right-to-left text does not reorder the sentence."""
    return Markup("<bdi>{}</bdi>").format(text)


def not_read(error: str | None, translations: Translations) -> Markup:
    """Render a note in place of data not read yet: reading is in progress, or has failed if there is an `error`."""
    name = "nothing_read" if error else "reading"
    return empty(translations(f"error.{name}"), translations(f"error.{name}_advice"))
