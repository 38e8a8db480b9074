"""Comparisons with the preceding period as HTML tables; each row links to the records that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from markupsafe import Markup, escape

from triage.console.changes.explanation import Explanation
from triage.console.changes.measure import Comparison, Movers
from triage.console.data.shared_readings import SharedReading
from triage.console.filters import Filters
from triage.console.web.fragments import NOTHING, empty, not_read
from triage.console.web.templates import render
from triage.elastic.changes import Change
from triage.schemas.alert import Share
from triage.translations import Places, Translations

_NEGATIVE = {"sentiment": ("negative",)}


@dataclass(frozen=True)
class _Row:
    """One row of a table of changes, with the address of the *Explore* page that shows its records."""

    change: Change
    labels: list[str]
    address: str
    direction: str
    ratio: str
    behind: str = ""


@dataclass(frozen=True)
class _Standout:
    """A word or entity that is unusually frequent; `now` and `usually` are its shares of records, 0 to 1."""

    value: str
    address: str
    now: float
    usually: float


def movers_html(latest: SharedReading[Movers], translations: Translations) -> Markup:
    """Render the top movers of *Now*: changes of negative records, by product (or brand) and intent, and by intent."""
    movers = latest.value
    if movers is None:
        return not_read(latest.error, translations)
    if movers.range is None:
        return empty(translations("movers.no_past"), translations("movers.no_past_advice"))
    base = Filters(range=movers.range, values=_NEGATIVE)
    columns = translations(f"movers.period_{movers.range}"), translations(f"movers.before_{movers.range}")
    caption = translations(
        "movers.caption",
        period=columns[0],
        before=columns[1],
        now=movers.all.now,
        then=movers.all.before,
    )
    tables = [
        _table(changes, base, fields, title, translations, columns, movers.behind)
        for changes, fields, title in (
            (movers.by_item, (movers.item, "intent"), translations(f"movers.by_{movers.item}_intent")),
            (movers.by_intent, ("intent",), translations("movers.by_intent")),
        )
    ]
    return render("changes/movers.html", translations, caption=caption, tables=tables)


def comparison_html(
    comparison: Comparison, filters: Filters, translations: Translations, places: Places | None = None
) -> Markup:
    """Render a comparison: a sentence on what explains it, the strongest changes, unusual words and entities.

    The changes of each field's values are below, folded. A place in `places` is named in the reader's language, and its
    link finds all its spellings.
    """
    places = places or Places()
    caption = translations(
        "compare.caption",
        now=comparison.all.now,
        before=comparison.all.before,
        change=_ratio(comparison.all, translations),
        length=translations.duration(comparison.periods.end_ms - comparison.periods.start_ms),
    )
    columns = (translations("compare.now"), translations("compare.before"))
    standouts = [
        (translations(f"compare.{name}"), [_standout(share, comparison, view, shown) for share, view, shown in found])
        for name, found in (
            ("words", [(share, replace(filters, text=share.value), share.value) for share in comparison.words]),
            ("entities", [_named(share, filters, places, translations.language) for share in comparison.entities]),
        )
        if found
    ]
    return render(
        "changes/comparison.html",
        translations,
        explained=_explained(comparison.explanation, filters, translations, places),
        ranking=_ranking(comparison.explanation, filters, translations, columns),
        caption=caption,
        standouts=standouts,
        enough=comparison.enough,
        left_out=", ".join(translations(f"column.{name}") for name in comparison.left_out),
        tables=[
            _table(changes, filters, (name,), translations(f"compare.by_{name}"), translations, columns)
            for name, changes in comparison.by.items()
        ],
    )


def _table(
    changes: Sequence[Change],
    base: Filters,
    fields: tuple[str, ...],
    title: str,
    translations: Translations,
    columns: tuple[str, str],
    behind: Mapping[tuple[str, ...], Sequence[tuple[str, str]]] = MappingProxyType({}),
) -> Markup:
    if not changes:
        return NOTHING
    rows = [_row(change, base, fields, translations, behind.get(change.values, ())) for change in changes]
    return render("changes/table.html", translations, title=title, columns=columns, rows=rows)


def _row(
    change: Change,
    base: Filters,
    fields: tuple[str, ...],
    translations: Translations,
    behind: Sequence[tuple[str, str]] = (),
) -> _Row:
    values = dict(zip(fields, change.values, strict=True))
    listed = " · ".join(_term(name, value, translations) for name, value in behind)
    return _Row(
        change,
        labels=[_term(name, value, translations) for name, value in values.items()],
        address=base.only(**values).address("explore", compare="1"),
        direction="up" if change.difference > 0 else "down" if change.difference < 0 else "same",
        ratio=_ratio(change, translations),
        behind=translations("movers.mostly", value=listed) if listed else "",
    )


def _term(name: str, value: str, translations: Translations) -> str:
    return translations.term({"aspect": "aspect_pair"}.get(name, name), value)


def _explained(explanation: Explanation, filters: Filters, translations: Translations, places: Places) -> Markup:
    """A sentence on what explains the change; names link to their records."""
    total, first, second = explanation.total, explanation.first, explanation.second
    kind = "negative" if explanation.negative else "records"
    if explanation.flat:
        return escape(translations(f"compare.flat_{kind}", now=total.now, before=total.before))
    direction = "more" if total.difference > 0 else "fewer"
    change = translations(f"compare.{direction}_{kind}", n=abs(total.difference))
    if first is None:
        return escape(translations("compare.spread", change=change))
    view = filters.only(**{first.field: first.value})
    mostly = NOTHING
    if second is not None:
        within = view.accepting(
            second.field, places.spellings(second.value) if second.field == "entity" else (second.value,)
        )
        name = places.name_in(second.value, translations.language)
        mostly = translations.html("compare.mostly", value=_linked(second.field, name, within, translations))
    own = abs(first.change.difference)
    return translations.html(
        "compare.explains" if own <= abs(total.difference) else "compare.explains_over",
        value=_linked(first.field, first.value, view, translations),
        part=own,
        change=change,
        mostly=mostly,
    )


def _linked(name: str, value: str, view: Filters, translations: Translations) -> Markup:
    address, term = view.address("explore", compare="1"), _term(name, value, translations)
    link = Markup('<a href="{}"><bdi>{}</bdi></a>').format(address, term)
    return translations.html("compare.named", value=link, field=translations(f"column.{name}").lower())


def _ranking(
    explanation: Explanation, filters: Filters, translations: Translations, columns: tuple[str, str]
) -> Markup:
    """A table of the strongest changes across fields, each with the name of its field."""
    if not explanation.ranked:
        return NOTHING
    base = filters.only(sentiment="negative") if explanation.negative else filters
    rows = [
        replace(row, labels=[translations(f"column.{part.field}"), *row.labels])
        for part in explanation.ranked
        for row in (_row(part.change, base, (part.field,), translations),)
    ]
    title = translations("compare.ranked_negative" if explanation.negative else "compare.ranked")
    return render("changes/table.html", translations, title=title, columns=columns, rows=rows)


def _ratio(change: Change, translations: Translations) -> str:
    if not change.before:
        return translations("movers.new")
    ratio = change.now / change.before
    return translations("movers.times", n=translations.quantity(ratio) if ratio < 10 else f"{ratio:,.0f}")


def _named(share: Share, filters: Filters, places: Places, language: str) -> tuple[Share, Filters, str]:
    """An entity with the view of its records, and its name in the reader's language."""
    view = replace(filters, values={**filters.values, "entity": places.spellings(share.value)})
    return share, view, places.name_in(share.value, language)


def _standout(share: Share, comparison: Comparison, view: Filters, name: str) -> _Standout:
    return _Standout(
        name,
        address=view.address("explore", compare="1"),
        now=share.count / comparison.sampled,
        usually=(share.expected or 0.0) / comparison.sampled,
    )
