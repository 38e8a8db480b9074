"""Renders the console's templates, which are next to their page and named by their path below `triage/console`."""

from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from triage.templating import Templates
from triage.translations import Translations

TEMPLATES = Templates(Path(__file__).parents[1])
FAVICON = Path(__file__).with_name("favicon.svg")
_SCRIPT = Path(__file__).with_name("console.js")
_STYLESHEET = Path(__file__).with_name("console.css")


def render(template: str, translations: Translations, /, **values: object) -> Markup:
    """Render a template as HTML; its variable `t` is the translations."""
    return TEMPLATES.render(template, t=translations, **values)


def document(template: str, translations: Translations, /, **values: object) -> Markup:
    """Render a page as one HTML document that includes style and icon, so that it opens with a single request."""
    icon = f"data:image/svg+xml,{quote(FAVICON.read_text('utf-8'))}"
    return render(template, translations, css=stylesheet(), icon=icon, **values)


def stylesheet() -> Markup:
    """Return the console's CSS."""
    return Markup(_STYLESHEET.read_text("utf-8"))  # noqa: S704 - the console's own file


def keys_script() -> Markup:
    """The script element for keyboard shortcuts, used on all pages."""
    return Markup("<script>{}</script>").format(Markup(_SCRIPT.read_text("utf-8")))  # noqa: S704 - the console's own file
