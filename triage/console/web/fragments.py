"""HTML parts that several pages use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from triage.console.web.templates import TEMPLATES, render
from triage.translations import Translations

NOTHING = Markup()


@dataclass(frozen=True)
class Tile:
    """One number at the top of a page; `hot` marks it as urgent, `href` links to details."""

    name: str
    value: str
    note: str
    hot: bool = False
    href: str = ""


def tile_row(tiles: Sequence[Tile]) -> Markup:
    """Render tiles in a row."""
    return TEMPLATES.render("web/tiles.html", tiles=tiles)


def banner(error: str | None, translations: Translations, *, known: bool) -> Markup:
    """Render an error and its consequences; empty if `error` is None.

    `known`: the page still shows the numbers of an earlier reading.
    """
    return NOTHING if error is None else render("web/banner.html", translations, error=error, known=known)


def incomplete(gaps: Iterable[str], translations: Translations) -> Markup:
    """Render what data is missing on a page (`triage.elastic.completeness.Gaps`); empty if nothing is."""
    listed = list(dict.fromkeys(gaps))
    return render("web/incomplete.html", translations, gaps=listed) if listed else NOTHING


def empty(title: str, advice: str) -> Markup:
    """Render a note instead of an empty list; `advice` may be Markup."""
    return TEMPLATES.render("web/empty.html", title=title, advice=advice)


def isolated(text: str) -> Markup:
    """Enclose text from a record in `<bdi>`, so that right-to-left text does not reorder the surrounding sentence."""
    return Markup("<bdi>{}</bdi>").format(text)


def not_read(error: str | None, translations: Translations) -> Markup:
    """Render a note instead of data that is not read yet: it is being read, or reading failed if `error` is given."""
    name = "nothing_read" if error else "reading"
    return empty(translations(f"error.{name}"), translations(f"error.{name}_advice"))
