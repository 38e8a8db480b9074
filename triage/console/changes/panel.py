"""Changes as tables, each row a link to what lies behind it."""

from collections.abc import Sequence
from html import escape

from triage.console.changes.measure import LENGTHS, Comparison, Movers, link_to
from triage.console.data.refresh import Latest
from triage.console.filters import Filters
from triage.console.translations import Translations
from triage.console.web.fragments import empty, not_read
from triage.elastic.changes import Change
from triage.schemas.alert import Share

_NEGATIVE = {"sentiment": ("negative",)}


def movers_html(moved: Latest[Movers], words: Translations) -> str:
    """The top movers of *Now*: by product (or brand) and intent, and by intent alone."""
    found = moved.value
    if found is None:
        return not_read(moved.error, words)
    if found.range is None:
        return empty(words("movers.no_past"), words("movers.no_past_advice"))
    base = Filters(range=found.range, values=_NEGATIVE)
    period, before = words(f"movers.period_{found.range}"), words(f"movers.before_{found.range}")
    said = words(
        "movers.caption",
        period=period,
        before=before,
        now=words.number(found.all.now),
        then=words.number(found.all.before),
    )
    parts = [
        _table(changes, base, names, words(f"movers.by_{title}"), words, (period, before))
        for changes, names, title in (
            (found.by_thing, (found.thing, "intent"), f"{found.thing}_intent"),
            (found.by_intent, ("intent",), "intent"),
        )
    ]
    return f'<p class="caption">{escape(said)}</p><div class="side-by-side">{"".join(parts)}</div>'


def comparison_html(found: Comparison, filters: Filters, words: Translations) -> str:
    """What changed in a view: the whole, what stands out in its texts, and the values behind it."""
    length = words.duration(found.periods.end_ms - found.periods.start_ms)
    said = words(
        "compare.caption",
        now=words.number(found.all.now),
        before=words.number(found.all.before),
        change=_times(found.all, words),
        length=length,
    )
    columns = (words("compare.now"), words("compare.before"))
    tables = "".join(
        _table(changes, filters, (name,), words(f"compare.by_{name}"), words, columns)
        for name, changes in found.by.items()
    )
    shares = "".join(
        _shares(title, listed, found, filters, name, words)
        for title, listed, name in (
            (words("compare.words"), found.words, "q"),
            (words("compare.entities"), found.entities, "entity"),
        )
    )
    none = "" if shares else f'<p class="caption">{words("compare.nothing" if found.enough else "compare.too_few")}</p>'
    if found.left_out and shares:
        fields = ", ".join(words(f"column.{name}") for name in found.left_out)
        shares += f'<p class="caption below">{escape(words("compare.widened", fields=fields))}</p>'
    return f'<p>{escape(said)}</p>{shares}{none}<div class="side-by-side">{tables}</div>'


def _table(
    changes: Sequence[Change],
    base: Filters,
    names: tuple[str, ...],
    title: str,
    words: Translations,
    columns: tuple[str, str],
) -> str:
    if not changes:
        return ""
    head = "".join(
        f'<th scope="col"{kind}>{escape(text)}</th>'
        for text, kind in (
            (title, ""),
            (columns[0], ' class="n"'),
            (columns[1], ' class="n"'),
            (words("movers.change"), ' class="n"'),
        )
    )
    rows = "".join(_row(change, base, names, words) for change in changes)
    return f'<table class="plain changes"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(change: Change, base: Filters, names: tuple[str, ...], words: Translations) -> str:
    values = dict(zip(names, change.values, strict=True))
    kinds = {"aspect": "aspect_pair"}
    shown = " · ".join(words.term(kinds.get(name, name), value) for name, value in values.items())
    target = link_to(base, values).address("explore", compare="1")
    direction = "up" if change.difference > 0 else "down" if change.difference < 0 else "same"
    return (
        f'<tr><th scope="row"><a href="{escape(target)}">{escape(shown)}</a></th>'
        f'<td class="n">{words.number(change.now)}</td><td class="n">{words.number(change.before)}</td>'
        f'<td class="n {direction}">{change.difference:+,} <span>{escape(_times(change, words))}</span></td></tr>'
    )


def _times(change: Change, words: Translations) -> str:
    if not change.before:
        return words("movers.new")
    ratio = change.now / change.before
    return words("movers.times", n=words.quantity(ratio) if ratio < 10 else f"{ratio:,.0f}")


def _shares(
    title: str, shares: Sequence[Share], found: Comparison, filters: Filters, name: str, words: Translations
) -> str:
    items = "".join(
        f'<li><a href="{escape(_narrowed(filters, name, share.value))}">{escape(share.value)}</a> '
        f"<b>{words.percent(share.count / found.sampled)}</b> "
        f"{words('compare.usually', n=words.percent((share.expected or 0.0) / found.sampled))}</li>"
        for share in shares
    )
    return f'<h3>{title}</h3><ul class="shares large">{items}</ul>' if items else ""


def _narrowed(filters: Filters, name: str, value: str) -> str:
    if name == "q":
        return Filters(value, filters.range, filters.start, filters.end, filters.values).address("explore", compare="1")
    return link_to(filters, {name: value}).address("explore", compare="1")


__all__ = ["LENGTHS", "comparison_html", "movers_html"]
