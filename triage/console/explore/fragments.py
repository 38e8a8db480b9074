"""Parts of *Explore* as HTML. Forms and links change the URL, which contains the complete view."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from triage.console.filters import RANGES, Filters, datetime_local
from triage.console.web.fragments import NOTHING
from triage.console.web.records_table import records_table
from triage.console.web.templates import TEMPLATES, render
from triage.elastic.explore import Page
from triage.schemas.alert import Share
from triage.translations import Translations

_KINDS = {"aspect": "aspect_pair"}


@dataclass(frozen=True)
class _Chip:
    """A chosen value, or an excluded one, and the address of the page without it."""

    field: str
    value: str
    excluded: bool
    address: str


@dataclass(frozen=True)
class _FacetValue:
    """A value of a field; `state` is "in", "out" or empty.

    `address` accepts the value, or takes it back; `other` excludes it, or takes that back.
    """

    value: str
    text: str
    count: int
    state: str
    address: str
    other: str


def search_form(filters: Filters, translations: Translations) -> Markup:
    """Render the search form, which keeps the chosen values.

    Its times are in the reader's time zone, which it names.
    """
    return render(
        "explore/search_form.html",
        translations,
        filters=filters,
        search=filters.search,
        ranges=RANGES,
        zone=translations.zone.replace("_", " "),
        start=datetime_local(filters.start, translations.tzinfo),
        end=datetime_local(filters.end, translations.tzinfo),
    )


def chips(filters: Filters, translations: Translations) -> Markup:
    """Render the chosen filter values, each with a link that removes it; empty if there are none."""
    chosen = [
        _Chip(
            translations(f"column.{name}"),
            term(name, value, translations),
            excluded,
            address=filters.without(name, value).address("explore"),
        )
        for excluded, fields in ((False, filters.values), (True, filters.excluded))
        for name, values in fields.items()
        for value in values
    ]
    return render("explore/chips.html", translations, chips=chosen) if chosen else NOTHING


def facet_values_html(
    filters: Filters,
    name: str,
    shares: Sequence[Share],
    translations: Translations,
    *,
    more: bool = False,
    ticked: Sequence[str] | None = None,
) -> Markup:
    """Render values of a field with their number of records; each links to the page with this additional filter.

    `ticked`: the values are search results with checkboxes, these values are ticked, and a note says if there are none.
    `more`: there are further values.
    """
    values = [_facet_value(filters, name, share, translations) for share in shares]
    return render("explore/facet_values.html", translations, values=values, more=more, ticked=ticked)


def apply_html(filters: Filters, name: str, ticked: tuple[str, ...], translations: Translations) -> Markup:
    """Render a link to the page with exactly the `ticked` values of the field `name`; empty if there are none."""
    if not ticked:
        return NOTHING
    label = translations("explore.apply", n=len(ticked))
    return TEMPLATES.render("explore/buttons.html", links=[(filters.accepting(name, ticked).address("explore"), label)])


def narrow_button(translations: Translations) -> Markup:
    """Render the button that opens the column of filters on a phone."""
    return render("explore/narrow_button.html", translations)


def _facet_value(filters: Filters, name: str, share: Share, translations: Translations) -> _FacetValue:
    value = share.value
    state = "in" if value in filters.values.get(name, ()) else "out" if value in filters.excluded.get(name, ()) else ""
    without = filters.without(name, value)
    return _FacetValue(
        value,
        term(name, value, translations),
        share.count,
        state,
        address=(without if state == "in" else filters.with_value(name, value)).address("explore"),
        other=(without if state == "out" else filters.excluding(name, value)).address("explore"),
    )


def tools_html(
    filters: Filters, total: int, now_ms: int, user: str, translations: Translations, *, with_comparison: bool
) -> Markup:
    """Render links to compare, save and export a view and to draw its chart as a picture.

    With `with_comparison` the page already compares. Saved views are kept in the browser, by `user`. `total` is the
    number of records, for the picture's title.
    """
    links = [(filters.address("explore.csv"), translations("explore.export"))]
    if not with_comparison:
        links.insert(0, (filters.address("explore", compare="1"), translations("explore.compare")))
    return render(
        "explore/tools.html",
        translations,
        links=links,
        user=user,
        title=translations("explore.count", n=total),
        subtitle=_described(filters, now_ms, translations),
    )


def _described(filters: Filters, now_ms: int, translations: Translations) -> str:
    """The times and filters of a view in words."""
    if filters.has_times:
        start, end = (None if ms is None else translations.moment(ms) for ms in (filters.start, filters.end))
        parts = [f"{start or '…'} – {end or '…'}"]
    else:
        parts = [f"{translations(f'range.{filters.range}')}, {translations.moment(now_ms)}"]
    if filters.text:
        parts.append(f"{translations('explore.text')}: {filters.text}")
    for excluded, fields in ((False, filters.values), (True, filters.excluded)):
        for name, values in fields.items():
            field = translations(f"column.{name}")
            label = translations("explore.chip_not", field=field) if excluded else field
            parts.append(f"{label}: {', '.join(term(name, value, translations) for value in values)}")
    return " · ".join(parts)


def records_html(
    filters: Filters, page: Page, corrected: Collection[str], now_ms: int, translations: Translations
) -> Markup:
    """Render one page of records, with a link to older ones; `corrected` are ids of records that have a correction."""
    caption = translations("explore.records")
    return render(
        "explore/records.html",
        translations,
        table=records_table(page.hits, now_ms, translations, corrected, caption=caption),
        older=None if page.after is None else filters.address("explore", after=page.after),
    )


def term(name: str, value: str, translations: Translations) -> str:
    """Return the name of a field's value as shown to the reader; `name` is the field's parameter name."""
    return translations.term(_KINDS.get(name, name), value)
