"""Gives the words of reviews that speak for and against an item, from the index."""

import threading
from collections.abc import Callable, Mapping, Sequence

from elasticsearch import Elasticsearch

from triage.assist.guide.model import ReviewEvidence, ReviewSpan
from triage.assist.guide.spans import aspect_span
from triage.assist.market.names import Market
from triage.assist.market.spellings import Spellings, find_spellings
from triage.clock import Clock
from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import event_time_range
from triage.elastic.reviews import POLARITIES, Reviewed, find_reviews
from triage.elastic.search import Hit
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.catalogue import CatalogueItem

log = get_logger("triage.guide")

_READ = 20
_SHOWN = 2
_DAY_MS = 86_400_000
_SPELLINGS_S = 600.0


class Reviews:
    """Finds what reviews of the last `days` say about items. Thread-safe.

    With a market file, products and brands are found by all their names in that file and their spellings in the
    index.
    """

    def __init__(
        self,
        client: Elasticsearch,
        settings: ElasticsearchSettings,
        clock: Clock,
        days: int,
        read_market: Callable[[], Market | None] = lambda: None,
    ) -> None:
        self._client, self._settings, self._clock, self._days = client, settings, clock, days
        self._read_market = read_market
        self._lock = threading.Lock()
        self._names: tuple[float, Market, Spellings] | None = None

    def find(self, items: Sequence[CatalogueItem], language: str) -> Mapping[str, ReviewEvidence] | None:
        """Evidence of reviews by item id, reviews in `language` first; None (and a line in the log) if unreadable."""
        end_ms = self._clock.now_ms()
        start_ms = end_ms - self._days * _DAY_MS
        try:
            wanted = [self._reviewed(item, start_ms, end_ms) for item in items]
            found = find_reviews(self._client, self._settings, wanted, start_ms, end_ms, _READ, language)
        except TriageError as error:
            # Items are recommended without reviews then.
            log.warning("reviews_not_read", error=str(error))
            return None
        return {
            item.id: ReviewEvidence(
                praising=each.praising,
                blaming=each.blaming,
                speaking_for=_spans(each.hits[0], POLARITIES[0], language),
                against=_spans(each.hits[1], POLARITIES[1], language),
            )
            for item, each in zip(items, found, strict=True)
        }

    def _reviewed(self, item: CatalogueItem, start_ms: int, end_ms: int) -> Reviewed:
        products = [item.product] if item.product else list(item.name.values())
        brands = [item.brand] if item.brand else []
        market = self._read_market()
        if market is None:
            return Reviewed(products, brands)
        spellings = self._spellings(market, start_ms, end_ms)
        product = next((known for name in products if (known := market.product_of(name)) is not None), None)
        brand = market.brand_of(item.brand) if item.brand else None
        return Reviewed(
            spellings.products[product.name] if product is not None else products,
            spellings.brands[brand.name] if brand is not None else brands,
        )

    def _spellings(self, market: Market, start_ms: int, end_ms: int) -> Spellings:
        with self._lock:
            now = self._clock.monotonic()
            if self._names is None or self._names[1] is not market or now - self._names[0] >= _SPELLINGS_S:
                query = {"bool": {"filter": event_time_range(start_ms, end_ms)}}
                self._names = now, market, find_spellings(self._client, self._settings, market, query)
            return self._names[2]


def _spans(hits: Sequence[Hit], polarity: str, language: str) -> list[ReviewSpan]:
    """At most two spans, of different reviews and aspects; hits are the newest first."""
    found: list[ReviewSpan] = []
    for hit in sorted(hits, key=lambda each: each.record.language != language):
        record = hit.record
        for aspect in record.aspects:
            if aspect.polarity != polarity or aspect.label in {each.aspect for each in found}:
                continue
            span = aspect_span(record.text, record.parts, aspect.label)
            if span is not None:
                text = record.text[slice(*span)]
                found.append(
                    ReviewSpan(
                        text=text,
                        record=hit.id,
                        aspect=aspect.label,
                        start=span[0],
                        end=span[1],
                        language=record.language,
                        at=record.timestamp,
                    )
                )
                break
        if len(found) == _SHOWN:
            break
    return found
