"""Computes the market report from the index, by searches that return only counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from elasticsearch import Elasticsearch

from triage.assist.market.names import Brand, Market
from triage.assist.market.report import BrandRow, LostTo, MarketReport, Opinion, ProductRow
from triage.assist.market.spellings import Spellings, find_spellings
from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import BY_SENTIMENT, buckets, event_time_range, sentiment_counts
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search

_FILTERS = 100
"""Brands or products per search: each is a query of its own in the index."""
_PAIRS = 100
_ANY = ""
"""Name of the condition for any brand; no brand is called so."""
_NEGATIVE: JsonObject = {"term": {"sentiment.label": "negative"}}
_BY_PAIR: JsonObject = {"pairs": {"terms": {"field": "aspects.pair", "size": _PAIRS}}}


def read_market_report(
    client: Elasticsearch, settings: ElasticsearchSettings, market: Market, start_ms: int, end_ms: int
) -> MarketReport:
    """Report on the records from `start_ms` to `end_ms`; ranks are compared with the preceding period of equal length.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    return _Counting(client, settings, market, start_ms, end_ms).report()


class _Counting:
    def __init__(
        self, client: Elasticsearch, settings: ElasticsearchSettings, market: Market, start_ms: int, end_ms: int
    ) -> None:
        self._client = client
        self._settings = settings
        self._market = market
        self._start_ms, self._end_ms = start_ms, end_ms
        self._now = _all([*event_time_range(start_ms, end_ms)])
        self._before = _all([*event_time_range(2 * start_ms - end_ms, start_ms)])
        self._spellings = find_spellings(client, settings, market, self._now)

    def report(self) -> MarketReport:
        brands, voices = self._brands()
        products = self._products()
        aspects: Counter[str] = Counter()
        for row in products:
            aspects.update({name: opinion.n for name, opinion in row.aspects.items()})
        return MarketReport(
            self._start_ms,
            self._end_ms,
            voices,
            brands,
            products,
            [name for name, _ in aspects.most_common()],
            self._lost_to(),
            self._spellings.unlisted,
        )

    def _brands(self) -> tuple[list[BrandRow], int]:
        market, spellings = self._market, self._spellings
        records = self._counted(
            self._now, {each.name: _of_brand(each, market, spellings) for each in market.brands}, BY_SENTIMENT
        )
        mentions = {each.name: _mentions(each, market, spellings) for each in market.brands}
        now = self._counted(self._now, {**mentions, _ANY: _any(mentions.values())} if mentions else {})
        voices = now.pop(_ANY)["doc_count"] if mentions else 0
        before = self._counted(self._before, mentions)
        rows = [
            BrandRow(
                brand,
                records[brand.name]["doc_count"],
                now[brand.name]["doc_count"],
                before[brand.name]["doc_count"],
                now[brand.name]["doc_count"] / voices if voices else 0.0,
                rank,
                _rank(before, brand) if before[brand.name]["doc_count"] else None,
                _opinion(records[brand.name]),
                spellings.brands[brand.name],
            )
            for brand in market.brands
            for rank in (_rank(now, brand),)
        ]
        return sorted(rows, key=lambda row: row.rank), voices

    def _products(self) -> list[ProductRow]:
        conditions = {
            each.name: {"terms": {"product": self._spellings.products[each.name]}} for each in self._market.products
        }
        found = self._counted(self._now, conditions, {**BY_SENTIMENT, **_BY_PAIR})
        rows = [
            ProductRow(
                each, bucket["doc_count"], _opinion(bucket), _aspects(bucket), self._spellings.products[each.name]
            )
            for each in self._market.products
            if (bucket := found[each.name])["doc_count"]
        ]
        return sorted(rows, key=lambda row: -row.records)

    def _lost_to(self) -> list[LostTo]:
        rivals = [each for each in self._market.brands if not each.own]
        conditions, pairs = {}, {}
        for own in (each for each in self._market.brands if each.own):
            for rival in rivals:
                name = f"{own.name}\n{rival.name}"
                named = {"terms": {"entities.text": self._spellings.mentions[rival.name]}}
                conditions[name] = _all([_NEGATIVE, _of_brand(own, self._market, self._spellings), named])
                pairs[name] = (own, rival)
        found = self._counted(self._now, conditions)
        lost = [LostTo(*pairs[name], bucket["doc_count"]) for name, bucket in found.items() if bucket["doc_count"]]
        return sorted(lost, key=lambda each: -each.negative)

    def _counted(
        self, query: JsonObject, conditions: Mapping[str, JsonObject], within: JsonObject | None = None
    ) -> dict[str, JsonObject]:
        """One bucket per condition, with the numbers by sentiment; `more` are further sub-aggregations."""
        found: dict[str, JsonObject] = {}
        for part in _parts(list(conditions), _FILTERS):
            body = run_search(
                self._client,
                self._settings.index_prefix,
                query=query,
                size=0,
                aggs={
                    "by": {
                        "filters": {"filters": {str(at): conditions[name] for at, name in enumerate(part)}},
                        **({"aggs": within} if within else {}),
                    }
                },
            )
            counted = body.get("aggregations", {}).get("by", {}).get("buckets", {})
            found |= {name: counted.get(str(at), {"doc_count": 0}) for at, name in enumerate(part)}
        return found


def _of_brand(brand: Brand, market: Market, spellings: Spellings) -> JsonObject:
    products = [value for each in market.products_of(brand) for value in spellings.products[each.name]]
    named: list[JsonObject] = [{"terms": {"brand": spellings.brands[brand.name]}}]
    return _any([*named, *([{"terms": {"product": products}}] if products else [])])


def _mentions(brand: Brand, market: Market, spellings: Spellings) -> JsonObject:
    return _any([_of_brand(brand, market, spellings), {"terms": {"entities.text": spellings.mentions[brand.name]}}])


def _all(conditions: Sequence[JsonObject]) -> JsonObject:
    return {"bool": {"filter": list(conditions)}}


def _any(conditions: Iterable[JsonObject]) -> JsonObject:
    return {"bool": {"should": list(conditions), "minimum_should_match": 1}}


def _rank(counts: Mapping[str, JsonObject], brand: Brand) -> int:
    """The rank of a brand by its count, 1 first; equal counts share the better rank."""
    mine = int(counts[brand.name]["doc_count"])
    return 1 + sum(int(bucket["doc_count"]) > mine for bucket in counts.values())


def _opinion(bucket: JsonObject) -> Opinion:
    counts = sentiment_counts(bucket)
    return Opinion(counts.positive, counts.negative)


def _aspects(bucket: JsonObject) -> dict[str, Opinion]:
    counts: dict[str, dict[str, int]] = {}
    for inner in buckets(bucket, "pairs"):
        aspect, _, polarity = inner["key"].rpartition(":")
        counts.setdefault(aspect, {})[polarity] = inner["doc_count"]
    found = {aspect: Opinion(n.get("positive", 0), n.get("negative", 0)) for aspect, n in counts.items()}
    return {aspect: opinion for aspect, opinion in found.items() if opinion.n}


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]
