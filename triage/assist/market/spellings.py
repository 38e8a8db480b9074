"""Finds how records of a time range spell brands and products, so that each is counted under one name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from elasticsearch import Elasticsearch

from triage.assist.market.names import Brand, Market, Product
from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import buckets
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search

_VALUES = 5_000
_UNLISTED = 20


@dataclass(frozen=True)
class Spellings:
    """Spellings in the index of each brand and product, by its name in the market file.

    `brands` are values of the field `brand`, `products` of `product`, `mentions` of `entities.text`. `unlisted` are
    frequent values of `brand` that are not in the file, with their numbers of records.
    """

    brands: dict[str, list[str]] = field(default_factory=dict)
    products: dict[str, list[str]] = field(default_factory=dict)
    mentions: dict[str, list[str]] = field(default_factory=dict)
    unlisted: dict[str, int] = field(default_factory=dict)


def find_spellings(
    client: Elasticsearch, settings: ElasticsearchSettings, market: Market, query: JsonObject
) -> Spellings:
    """Find spellings in the records that match `query`, and add the names in the market file.

    Only the 5,000 most frequent values of each field are considered. Raises Unavailable, AccessDenied,
    DependencyError.
    """
    fields = {"brand": "brand", "product": "product", "mention": "entities.text"}
    body = run_search(
        client,
        settings.index_prefix,
        query=query,
        size=0,
        aggs={name: {"terms": {"field": path, "size": _VALUES}} for name, path in fields.items()},
    )
    found = {
        name: {bucket["key"]: bucket["doc_count"] for bucket in buckets(body.get("aggregations", {}), name)}
        for name in fields
    }
    unlisted = {value: n for value, n in found["brand"].items() if market.brand_of(value) is None}
    return Spellings(
        _by_name(market.brands, found["brand"], market.brand_of),
        _by_name(market.products, found["product"], market.product_of),
        _by_name(market.brands, found["mention"], market.brand_of),
        dict(list(unlisted.items())[:_UNLISTED]),
    )


def _by_name(
    entries: Sequence[Brand] | Sequence[Product], values: Iterable[str], find: Callable[[str], Brand | Product | None]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {entry.name: [entry.name, *entry.also] for entry in entries}
    for value in values:
        entry = find(value)
        if entry is not None and value not in found[entry.name]:
            found[entry.name].append(value)
    return found
