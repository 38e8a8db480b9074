"""The layout of every page: navigation, language, the logged-in user, and landmarks."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from triage.console.web.elements import Html, text
from triage.console.web.fragments import NOTHING
from triage.console.web.language import translations_of
from triage.console.web.templates import TEMPLATES, document, keys_script, render, stylesheet
from triage.console.web.zone import zone_script
from triage.translations import LANGUAGES, Translations
from triage.web.auth import user_of
from triage.web.identity import ANONYMOUS, User
from triage.web.prefix import prefix_of, root_of

TABS = {
    "now": "",
    "explore": "explore",
    "alerts": "alerts",
    "review": "review",
    "conversations": "conversations",
    "knowledge": "knowledge",
    "market": "market",
    "fleet": "fleet",
}


@dataclass(frozen=True)
class PageContext:
    """The visitor and the URL of one page.

    `root` is the URL of the console's start page, including a path prefix; `location` is the page's own path and query
    relative to it; `script` reports the browser's time zone to the console and defines the keyboard shortcuts of all
    pages. `searched` is the search text in the page's URL.
    """

    translations: Translations
    user: User
    root: str
    location: str
    script: Markup = NOTHING
    searched: str = ""

    @classmethod
    def of(cls, request: Request) -> Self:
        path = request.url.path.lstrip("/")
        location = path + (f"?{request.url.query}" if request.url.query else "")
        script = zone_script(request) + keys_script()
        searched = request.query_params.get("q", "")
        return cls(translations_of(request), user_of(request), root_of(request), location, script, searched)

    def header(self, active: str) -> Markup:
        """Render the header of a page: tabs, language and user. `active` is the tab to mark, a key of `TABS`."""
        translations = self.translations
        links = [(translations(f"nav.{name}"), self.root + path, name == active) for name, path in TABS.items()]
        return render(
            "web/header.html",
            translations,
            page=self,
            active=active,
            tabs=choices(translations("nav.label"), links, "tabs", "page"),
            logged_in=self.user != ANONYMOUS,
            other=next(code for code in LANGUAGES if code != translations.language),
            languages=LANGUAGES,
            next=quote(self.location, safe=""),
        )


@contextmanager
def page_layout(request: Request, active: str, title: str = "") -> Iterator[PageContext]:
    """Context manager that builds the layout of a NiceGUI page; elements created in it become the main content.

    `active` is the tab to mark as the current one, a key of `TABS`; the default title is the tab's name.
    """
    page = PageContext.of(request)
    title = title or page.translations(f"nav.{active}")
    client = ui.context.client
    # The page object is shared by all visitors; the language is this one's.
    client.page = copy.copy(client.page)
    client.page.language = page.translations.html_language
    ui.page_title(f"{title} · triage")
    ui.add_css(str(stylesheet()))
    ui.add_head_html(str(page.script))
    if prefix := prefix_of(request):
        ui.add_head_html(str(TEMPLATES.render("web/slash.html", prefix=prefix)))
    # Quasar's page, which contains everything else, is the main landmark; the header goes before it.
    with client.layout, ui.element("header").classes("top") as header:
        Html(page.header(active)).classes("bar")
    header.move(target_index=0)
    content = ui.element("div").classes("page")
    ui.skip_link(page.translations("nav.skip"), target=content)
    with content:
        text(title, "h1").classes("unseen")
        yield page


def plain_page(page: PageContext, active: str, title: str, content: Markup) -> str:
    """Render an HTML document with the layout of all pages but without NiceGUI, as one small file.

    It opens fast on a phone or from a notification. `active` is the tab to mark as the current one, a key of `TABS`.
    """
    return document(
        "web/plain_page.html",
        page.translations,
        title=title,
        header=page.header(active),
        content=content,
        script=page.script,
    )


def choices(label: str, links: Sequence[tuple[str, str, bool]], kind: str = "choice", current: str = "true") -> Markup:
    """Render a navigation of links, each given as (text, URL, is current).

    `label` names it for screen readers, `kind` is its CSS class, `current` the `aria-current` of the current link.
    """
    return TEMPLATES.render("web/choices.html", label=label, links=links, kind=kind, current=current)
