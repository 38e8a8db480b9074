"""The ways to narrow a view down: a form for words and times, links for values. Everything ends up in the address."""

from collections.abc import Mapping
from html import escape

from triage.console.filters import FIELDS, RANGES, Filters, shown_time
from triage.console.translations import Translations
from triage.schemas.alert import Share

_KINDS = {"aspect": "aspect_pair"}
_OPEN_FACETS = 8


def search_form(filters: Filters, words: Translations) -> str:
    """A plain form that keeps the values that were chosen."""
    ranges = "".join(
        f'<option value="{name}"{" selected" if name == filters.range and not filters.given_times else ""}>'
        f"{words(f'range.{name}')}</option>"
        for name in RANGES
    )
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in filters.hidden())
    problems = "".join(
        f'<p class="remark" role="alert">{words("explore.problem", name=name)}</p>' for name in filters.problems
    )
    return (
        f'<form class="search" method="get" action="explore" role="search">{hidden}'
        f'<label class="grow"><span>{words("explore.text")}</span>'
        f'<input name="q" type="search" value="{escape(filters.text)}" '
        f'placeholder="{words("explore.text_hint")}"></label>'
        f'<label><span>{words("explore.range")}</span><select name="range">{ranges}</select></label>'
        f"<label><span>{words('explore.from')}</span>"
        f'<input name="from" type="datetime-local" value="{shown_time(filters.start)}"></label>'
        f"<label><span>{words('explore.to')}</span>"
        f'<input name="to" type="datetime-local" value="{shown_time(filters.end)}"></label>'
        f'<button class="button primary">{words("explore.go")}</button></form>{problems}'
    )


def chips(filters: Filters, words: Translations) -> str:
    """What is chosen, each with a link that takes it out."""
    items = "".join(_chip(filters, name, value, words) for name, value in filters.hidden())
    if not items:
        return ""
    return f'<ul class="chips">{items}<li><a class="clear" href="explore">{words("explore.clear")}</a></li></ul>'


def facets_html(filters: Filters, facets: Mapping[str, list[Share]], words: Translations) -> str:
    """The values of each field in the view with how many records have them; each narrows the view down to it."""
    parts: list[str] = []
    for name, field in FIELDS.items():
        listed = [share for share in facets.get(field, []) if share.value not in filters.values.get(name, ())]
        if not listed:
            continue
        items = "".join(
            f'<li><a href="{escape(filters.with_value(name, share.value).address("explore"))}">'
            f"<span>{escape(shown(name, share.value, words))}</span> <b>{words.number(share.count)}</b></a></li>"
            for share in listed
        )
        opened = " open" if len(parts) < _OPEN_FACETS else ""
        parts.append(f"<details{opened}><summary>{words(f'column.{name}')}</summary><ul>{items}</ul></details>")
    title = words("explore.filters")
    none = f'<p class="caption below">{words("explore.no_facets")}</p>'
    return f'<nav aria-label="{title}">{f"<h2>{title}</h2>" if parts else ""}{"".join(parts) or none}</nav>'


def _chip(filters: Filters, name: str, value: str, words: Translations) -> str:
    field, said = words(f"column.{name}"), shown(name, value, words)
    remove = words("explore.remove", value=f"{field}: {said}")
    return (
        f'<li><a href="{escape(filters.without(name, value).address("explore"))}" aria-label="{escape(remove)}">'
        f'<span>{field}</span> {escape(said)} <i aria-hidden="true">×</i></a></li>'
    )


def shown(name: str, value: str, words: Translations) -> str:
    """A value of a filter as people say it."""
    return words.term(_KINDS.get(name, name), value)
