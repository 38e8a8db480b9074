"""HTML from Jinja2 templates: values are escaped, an undefined name is an error."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

_BETWEEN_TAGS = re.compile(r"(?<=[>}])\s*\n\s*(?=[<{])")


class _JoinTags(Extension):
    """Drops line breaks between two tags: they lay out the template and would show as gaps on the page.

    Each becomes a template comment, so that errors keep their line number.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        del name, filename
        return _BETWEEN_TAGS.sub(lambda line_break: f"{{#{line_break[0]}#}}", source)


class Templates:
    """The templates below a folder, named by their path from there."""

    def __init__(self, folder: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            extensions=[_JoinTags],
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )

    def render(self, template: str, /, **values: object) -> Markup:
        """Raises jinja2.UndefinedError for a name that is not among `values`."""
        return Markup(self._environment.get_template(template).render(values))  # noqa: S704 - escaped by the template
