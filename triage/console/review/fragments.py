"""Parts of *Review* as HTML."""

from collections.abc import Sequence

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.filters import RANGES, Filters
from triage.console.record.fragments import correction_html, labels_html
from triage.console.web.highlighting import highlighted
from triage.console.web.layout import choices
from triage.console.web.records_table import record_facts
from triage.console.web.templates import TEMPLATES, render
from triage.elastic.search import Hit
from triage.schemas.correction import Correction
from triage.translations import Translations

_TEXT_CHARS = 4_000


def record_html(hit: Hit, now_ms: int, translations: Translations) -> Markup:
    """Render the record to review, with the model's labels."""
    record = hit.record
    when = translations.when_and_utc(parse_rfc3339(record.timestamp), now_ms)
    return render(
        "review/record.html",
        translations,
        hit=hit,
        text=highlighted(record.text, record.entities, translations, _TEXT_CHARS),
        facts=[when, *record_facts(record, translations)],
        labels=labels_html(record, translations),
    )


def order_html(filters: Filters, order: str, orders: Sequence[str], translations: Translations) -> Markup:
    """Render links for the time range and the order of the queue.

    `order` is the current one, the first of `orders` the default.
    """

    def address(range_name: str, by: str) -> str:
        chosen = Filters(filters.text, range_name, values=filters.values, excluded=filters.excluded)
        return chosen.address("review", order=None if by == orders[0] else by)

    by_range = [
        (translations(f"range.{name}"), address(name, order), name == filters.range) for name in RANGES if name != "1h"
    ]
    by_order = [(translations(f"review.{name}"), address(filters.range, name), name == order) for name in orders]
    return TEMPLATES.render(
        "review/order.html",
        ranges=choices(translations("explore.range"), by_range),
        orders=choices(translations("review.order"), by_order),
    )


def latest_html(latest: Sequence[Correction], reviewed: int, changed: int, translations: Translations) -> Markup:
    """Render the latest corrections, with the numbers of records that were reviewed and whose labels were changed."""
    described = [(correction, correction_html(correction, translations)) for correction in latest]
    return render("review/latest.html", translations, latest=described, reviewed=reviewed, changed=changed)
