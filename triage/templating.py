"""Renders HTML from Jinja2 templates: values are escaped, and an undefined name is an error."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

_BETWEEN_TAGS = re.compile(r"(?<=[>}])\s*\n\s*(?=[<{])")


class _JoinTags(Extension):
    """Jinja2 extension that removes line breaks between two tags, which would be visible as gaps on the page.

    Each is replaced by a template comment, so that line numbers in errors stay correct.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        del name, filename
        return _BETWEEN_TAGS.sub(lambda line_break: f"{{#{line_break[0]}#}}", source)


class Templates:
    """The templates in a folder, named by their relative path."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            extensions=[_JoinTags],
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def render(self, template: str, /, **values: object) -> Markup:
        """Render a template. Raises jinja2.UndefinedError for a name that is not in `values`."""
        return Markup(self._environment.get_template(template).render(values))  # noqa: S704 - escaped by the template
