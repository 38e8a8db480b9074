"""Renders records as a table, the same on every page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.web.highlighting import highlighted
from triage.console.web.templates import render
from triage.elastic.search import Hit
from triage.schemas.enriched import EnrichedRecord
from triage.translations import Translations


@dataclass(frozen=True)
class _Row:
    hit: Hit
    at_ms: int
    text: Markup
    facts: list[str]
    corrected: bool


def records_table(
    hits: Sequence[Hit],
    now_ms: int,
    translations: Translations,
    corrected: Collection[str] = (),
    root: str = "",
    caption: str = "",
) -> Markup:
    """Render records as a table, whose rows become cards on a phone.

    `corrected` are the ids of records with a correction, `root` is the URL of the console's start page, `caption` is
    for screen readers.
    """
    rows = [
        _Row(
            hit,
            at_ms=parse_rfc3339(hit.record.timestamp),
            text=highlighted(hit.record.text, hit.record.entities, translations),
            facts=[*record_facts(hit.record, translations), *filter(None, [hit.record.region])],
            corrected=hit.id in corrected,
        )
        for hit in hits
    ]
    return render("web/records_table.html", translations, rows=rows, now_ms=now_ms, root=root, caption=caption)


def record_facts(record: EnrichedRecord, translations: Translations) -> list[str]:
    """Return channel, language, product and brand of a record as texts, without missing ones."""
    facts = [
        translations.term("channel", record.channel.value),
        translations.term("language", record.language),
        record.product,
        record.brand,
    ]
    return [fact for fact in facts if fact]
