"""Parts of the page of one record as HTML text."""

from collections.abc import Sequence
from html import escape

from triage.clock import parse_rfc3339
from triage.console.filters import Filters, filters_of
from triage.console.translations import Translations
from triage.console.web.highlighting import highlighted
from triage.console.web.rows import feeling
from triage.elastic.search import Hit
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.explanation import HeadExplanation, RuleExplanation

_ALL = 10**9
# Entities by which two records are about the same thing.
_LINKING = ("order_id", "tracking_id")


def text_html(record: EnrichedRecord, words: Translations) -> str:
    """The text with its entities, and the entities as a list."""
    marked = highlighted(record.text, record.entities, words, _ALL)
    flags = "".join(f'<span class="pill outline">{escape(words.term("flag", flag))}</span> ' for flag in record.flags)
    rows = "".join(
        f'<tr><th scope="row"><mark class="{escape(entity.source)}">{escape(entity.text)}</mark></th>'
        f"<td>{escape(words.term('entity', entity.label))}</td><td>{escape(words.term('found_by', entity.source))}</td>"
        f'<td class="n">{words.percent(entity.confidence)}</td></tr>'
        for entity in record.entities
    )
    head = "".join(f'<th scope="col">{words(f"column.{name}")}</th>' for name in ("entity", "kind", "found_by"))
    head += f'<th scope="col" class="n">{words("column.sure")}</th>'
    table = f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>' if rows else ""
    return f'<p class="whole-text" lang="{escape(record.language)}">{marked}</p><p>{flags}</p>{table}'


def intents_html(record: EnrichedRecord, words: Translations) -> str:
    """The labels and how sure the model was of each."""
    rows = "".join(
        f'<tr><th scope="row">{escape(words.intent(score.label))}</th><td>{_meter(score.confidence, words)}</td></tr>'
        for score in record.intent.top
    )
    aspects = "".join(
        f"<li>{escape(words.intent(aspect.label))} {feeling(aspect.polarity, words)}</li>" for aspect in record.aspects
    )
    also = f'<h3>{words("record.aspects")}</h3><ul class="shares">{aspects}</ul>' if aspects else ""
    said = words(
        "record.sure", share=words.percent(record.sentiment.confidence), score=f"{record.sentiment.score:+.2f}"
    )
    return (
        f"<p>{feeling(record.sentiment.label, words)} <span class='meta'>{said}</span></p>"
        f'<table class="plain meters"><tbody>{rows}</tbody></table>{also}'
    )


def words_html(kind: str, head: HeadExplanation, marked: str, language: str, words: Translations) -> str:
    """The text with the words that carried one decision, and the words by weight."""
    label = words.intent(head.label) if kind == "intent" else words.term("sentiment", head.label)
    title = words("record.words", kind=words(f"column.{kind}"), label=label, share=words.percent(head.confidence))
    rows = "".join(
        f'<tr><th scope="row">{escape(word.text)}</th><td class="n">{word.weight:+.2f}</td></tr>' for word in head.words
    )
    columns = f'<th scope="col">{words("column.word")}</th><th scope="col" class="n">{words("column.weight")}</th>'
    return (
        f'<h3>{escape(title)}</h3><p class="whole-text" lang="{escape(language)}">{marked}</p>'
        f"<details><summary>{words('chart.as_table')}</summary>"
        f'<table class="plain"><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></details>'
    )


def rules_html(
    record: EnrichedRecord, explained: Sequence[RuleExplanation], version: str, problem: str, words: Translations
) -> str:
    """Severity and queue with the rules that made them, and what met each condition."""
    level = record.severity.level
    head = (
        f'<p><span class="pill {escape(level)}">{escape(words.term("severity", level))}</span> '
        f"{words('record.queue')} <b>{escape(record.route.queue)}</b></p>"
    )
    known = {(one.part, one.rule): one for one in explained}
    items = []
    for part, fired in (("severity", record.severity.rules), ("routing", record.route.rules)):
        for rule in fired:
            one = known.get((part, rule))
            effect = f" → {escape(one.effect)}" if one else ""
            evidence = "".join(
                f"<li>{escape(piece.condition)}: {escape(piece.text or piece.value)}</li>"
                for piece in (one.evidence if one else [])
            )
            items.append(f"<li><b>{escape(rule)}</b>{effect}<ul>{evidence}</ul></li>")
    notes = []
    if problem:
        notes.append(words("record.no_rules", why=problem))
    elif version != record.versions.rules:
        notes.append(words("record.other_rules", version=version))
    said = "".join(f'<p class="remark">{escape(note)}</p>' for note in notes)
    fired_html = f'<ul class="rules">{"".join(items)}</ul>' if items else f"<p>{words('record.none_fired')}</p>"
    return head + fired_html + said


def facts_html(hit: Hit, words: Translations) -> str:
    """Where the record comes from, and what judged it."""
    record = hit.record
    given = {
        "time": words.moment(parse_rfc3339(record.timestamp)),
        "ingested": words.moment(parse_rfc3339(record.event.ingested)),
        "channel": words.term("channel", record.channel.value),
        "language": words.term("language", record.language),
        "source": record.source,
        "product": record.product,
        "brand": record.brand,
        "region": record.region,
        "rating": None if record.rating is None else f"{record.rating:g}",
        "event": record.event.id,
        "id": hit.id,
        "model": record.versions.model,
        "rules_version": record.versions.rules,
        "taxonomy": record.versions.taxonomy,
        "pipeline": record.versions.pipeline,
    }
    rows = "".join(
        f"<dt>{words(f'column.{name}')}</dt><dd>{escape(value)}</dd>" for name, value in given.items() if value
    )
    more = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in record.attributes.items())
    return f'<dl class="facts">{rows}{more}</dl>'


def links_html(record: EnrichedRecord, words: Translations, root: str) -> str:
    """Views of what belongs together with this record."""
    views: list[tuple[str, Filters]] = []
    if record.author_id:
        views.append((words("record.same_author"), _all_time({"author": record.author_id})))
    views += [
        (words("record.same_entity", text=entity.text), _all_time({"entity": entity.text}))
        for entity in record.entities
        if entity.label in _LINKING and not entity.text.startswith("[")
    ]
    thing = {"product": record.product} if record.product else {"brand": record.brand} if record.brand else {}
    label, shown = record.intent.label, words.intent(record.intent.label)
    for name, value in thing.items():
        views.append((words("record.same_thing", thing=str(value)), filters_of({name: value})))
        views.append((f"{value} · {shown}", filters_of({name: value, "intent": label})))
    views.append((words("record.same_intent", intent=shown), filters_of({"intent": label})))
    items = "".join(
        f'<li><a href="{escape(root + view.address("explore"))}">{escape(text)}</a></li>' for text, view in views
    )
    return f'<ul class="plain-list">{items}</ul>'


def _all_time(values: dict[str, str]) -> Filters:
    return Filters(range="all", values={name: (value,) for name, value in values.items()})


def _meter(share: float, words: Translations) -> str:
    return (
        f'<span class="meter"><meter min="0" max="1" value="{share:.3f}">{words.percent(share)}</meter> '
        f"{words.percent(share)}</span>"
    )
