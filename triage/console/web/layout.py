"""What every page has around it: the way to the other pages, language, who is logged in, and landmarks."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import ui

from triage.console.translations import COOKIE, LANGUAGES, Translations, translations_of
from triage.web.auth import user_of
from triage.web.identity import ANONYMOUS, User

CSS = Path(__file__).with_name("console.css")
TABS = {"now": "", "explore": "explore", "alerts": "alerts", "review": "review", "fleet": "fleet"}
_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Visit:
    """Who looks at which page, in which language. `root` leads to the top of the site, wherever that is mounted."""

    words: Translations
    user: User
    root: str
    here: str

    @classmethod
    def of(cls, request: Request) -> "Visit":
        path = request.url.path.removeprefix(request.scope.get("root_path", "")).lstrip("/")
        here = path + (f"?{request.url.query}" if request.url.query else "")
        return cls(translations_of(request), user_of(request), "../" * path.count("/") or "./", here)

    def header(self, active: str, status: str = "") -> str:
        """The content of the page's header; `active` is the tab, `status` HTML beside it."""
        words = self.words
        links = [(words(f"nav.{name}"), self.root + path, name == active) for name, path in TABS.items()]
        tabs = choices(words("nav.label"), links, "tabs", "page")
        other = next(code for code in LANGUAGES if code != words.language)
        switch = (
            f'<a class="language" lang="{other}" hreflang="{other}" '
            f'href="{self.root}language/{other}?next={quote(self.here, safe="")}">{LANGUAGES[other]}</a>'
        )
        who = "" if self.user == ANONYMOUS else self._logout()
        return (
            f'<a class="brand" href="{self.root}"><i aria-hidden="true"></i>triage</a>'
            f'{tabs}<div class="beside">{status}{who}{switch}</div>'
        )

    def _logout(self) -> str:
        role = self.words.term("role", self.user.role)
        return (
            f'<form class="who" method="post" action="{self.root}logout"><span>{escape(self.user.name)} · {role}</span>'
            f"<button>{self.words('nav.log_out')}</button></form>"
        )


@contextmanager
def page_layout(request: Request, active: str, title: str = "") -> Iterator[Visit]:
    """The body of a NiceGUI page: header, a link past it, and the main landmark to fill."""
    visit = Visit.of(request)
    client = ui.context.client
    # The page object is shared by all visitors; the language is this one's.
    client.page = copy.copy(client.page)
    client.page.language = visit.words.html_language
    ui.page_title(f"{title or visit.words(f'nav.{active}')} · triage")
    ui.add_css(CSS.read_text("utf-8"))
    # Quasar's page, in which all else stands, is the main landmark; the header goes before it.
    with client.layout, ui.element("header").classes("top") as header:
        ui.html(visit.header(active), sanitize=False).classes("bar")
    header.move(target_index=0)
    content = ui.element("div").classes("page")
    ui.skip_link(visit.words("nav.skip"), target=content)
    with content:
        ui.html(escape(title or visit.words(f"nav.{active}")), tag="h1", sanitize=False).classes("unseen")
        yield visit


def plain_page(visit: Visit, active: str, title: str, content: str) -> str:
    """The same frame as one HTML document without scripts, for pages that must open anywhere at once."""
    words = visit.words
    return (
        f'<!doctype html><html lang="{words.html_language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · triage</title><style>{CSS.read_text('utf-8')}</style></head><body>"
        f'<a class="skip" href="#main">{words("nav.skip")}</a>'
        f'<header class="top"><div class="bar">{visit.header(active)}</div></header>'
        f'<main class="page" id="main" tabindex="-1">{content}</main></body></html>'
    )


def table_below(label: str) -> ui.html:
    """A place for the table of a chart, folded away; what is put there later stays folded or open as it is."""
    with ui.element("details").classes("as-table"):
        ui.html(escape(label), tag="summary", sanitize=False)
        return ui.html("", sanitize=False).classes("scroll-table")


def choices(label: str, links: Sequence[tuple[str, str, bool]], kind: str = "choice", current: str = "true") -> str:
    """Links of which one is where the visitor is: (text, address, whether it is that)."""
    items = "".join(
        f'<li><a href="{escape(address)}"{f" aria-current={current}" if chosen else ""}>{escape(text)}</a></li>'
        for text, address, chosen in links
    )
    return f'<nav aria-label="{escape(label)}"><ul class="{kind}">{items}</ul></nav>'


def language_routes() -> APIRouter:
    """`/language/zh?next=explore`: remember the language and go back."""
    router = APIRouter()

    @router.get("/language/{code}")
    async def choose(request: Request, code: str, next: str = "") -> Response:  # noqa: A002
        back = next if next.isprintable() and "//" not in next and not next.startswith(("/", "\\", ".")) else ""
        response = RedirectResponse(f"../{back}", status_code=303)
        if code in LANGUAGES:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, code, max_age=_YEAR_S, httponly=True, samesite="lax", secure=secure)
        return response

    return router


def section(name: str, title: str, classes: str = "", *, hidden: bool = False) -> ui.element:
    """A card with a heading that names it, to be filled."""
    card = ui.element("section").classes(f"card {classes}").props(f'aria-labelledby="{name}-title" id="{name}"')
    with card:
        ui.html(escape(title), tag="h2", sanitize=False).props(f'id="{name}-title"').classes("unseen" if hidden else "")
    return card
