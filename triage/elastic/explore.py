"""Queries of the console's pages Explore, Record and Review: filters, aggregations, and pages by `search_after`.

No function reads more than a page of documents. All raise Unavailable, AccessDenied, DependencyError.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.decoding import DecodeError, decoded
from triage.elastic.aggregations import BY_SENTIMENT, SentimentCounts, buckets, sentiment_counts
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search
from triage.elastic.search import Hit, decode_hits
from triage.schemas.alert import Share
from triage.schemas.enriched import EnrichedRecord

# A total order: `_id` is the hash of the last three.
_ORDER: list[JsonObject] = [
    {"@timestamp": "desc"},
    {"event.id": "asc"},
    {"channel": "asc"},
    {"source": {"order": "asc", "missing": "_first"}},
]
_AFTER_VALUES = len(_ORDER)


@dataclass(frozen=True)
class Page:
    """One page of records in sort order; pass `after` to request the next page; None on the last page."""

    hits: list[Hit]
    after: str | None


@dataclass(frozen=True)
class FieldValues:
    """Values of a field with their counts of records, most frequent first; `more` is True if there are other values."""

    shares: list[Share]
    more: bool = False


@dataclass(frozen=True)
class Statistics:
    """Counts of all records that match a query: total, by sentiment, per time interval, and by the values of fields.

    `slots` are the intervals that have records; `facets` maps each keyword field to its values.
    """

    total: int
    sentiment: SentimentCounts
    slots: list[SentimentCounts]
    facets: dict[str, FieldValues]


def records_page(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    size: int,
    after: str | None = None,
    *,
    order: Sequence[JsonObject] = _ORDER,
) -> Page:
    """Read a page of `size` records, in `order` (newest first); `after` is that of the page before.

    Raises ValueError for an invalid `after`.
    """
    found = run_search(
        client,
        settings.index_prefix,
        query=query,
        size=size + 1,
        sort=list(order),
        search_after=_values(after, len(order)) if after else None,
    )
    hits = found["hits"]["hits"]
    more = len(hits) > size
    found["hits"]["hits"] = hits = hits[:size]
    return Page(
        [Hit(hit["_id"], record) for hit, record in decode_hits(found, EnrichedRecord)],
        json.dumps(hits[-1]["sort"], separators=(",", ":")) if more else None,
    )


def statistics(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    fields: Mapping[str, int],
    interval_s: int,
    offset_s: int = 0,
) -> Statistics:
    """Count a query's records in one request; `fields` maps keyword fields to the number of values to return.

    Intervals begin `offset_s` after multiples of their length since the epoch.
    """
    time = {"field": "@timestamp", "fixed_interval": f"{interval_s}s", "min_doc_count": 1}
    if offset_s:
        time["offset"] = f"{offset_s}s"
    found = run_search(
        client,
        settings.index_prefix,
        query=query,
        size=0,
        aggregations={
            **BY_SENTIMENT,
            "time": {"date_histogram": time, "aggs": BY_SENTIMENT},
            **{f"f:{field}": {"terms": {"field": field, "size": size}} for field, size in fields.items()},
        },
    ).get("aggregations", {})
    slots = [sentiment_counts(bucket, bucket["key"]) for bucket in buckets(found, "time")]
    overall = sentiment_counts(found)
    return Statistics(
        total=overall.total,
        sentiment=overall,
        slots=slots,
        facets={field: _field_values(found, f"f:{field}") for field in fields},
    )


def field_values(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    field: str,
    size: int,
    also: Sequence[str] = (),
) -> FieldValues:
    """The `size` most frequent values of a keyword field among a query's records, after those of `also` in their order.

    A value of `also` is counted even if it is rare or has no record.
    """
    aggregations: JsonObject = {"values": {"terms": {"field": field, "size": size}}}
    if also:
        named = {str(number): {"term": {field: value}} for number, value in enumerate(also)}
        aggregations["also"] = {"filters": {"filters": named}}
    found = run_search(client, settings.index_prefix, query=query, size=0, aggregations=aggregations)
    frequent = _field_values(found.get("aggregations", {}), "values")
    counted = found.get("aggregations", {}).get("also", {}).get("buckets", {})
    first = [Share(value, counted.get(str(number), {}).get("doc_count", 0)) for number, value in enumerate(also)]
    return FieldValues([*first, *(share for share in frequent.shares if share.value not in also)], frequent.more)


def with_words(field: str, words: Sequence[str]) -> JsonObject:
    """A query for records with `words`, in this order and in any case, in a value of the keyword field `field`.

    It can match a few other records: Elasticsearch ignores case only for ASCII letters, so other letters with two
    cases, and wildcard characters in a word, are replaced by a wildcard.
    """
    pattern = "*".join(["", *("".join(map(_any_case, word)) for word in words), ""])
    return {"wildcard": {field: {"value": pattern, "case_insensitive": True}}}


def find_record(client: Elasticsearch, settings: ElasticsearchSettings, record_id: str) -> Hit | None:
    """The record with this `_id`, the newest if several indices have one; None if no index has it."""
    query = {"ids": {"values": [record_id]}}
    body = run_search(client, settings.index_prefix, query=query, size=1, sort=[{"@timestamp": "desc"}])
    return next((Hit(hit["_id"], record) for hit, record in decode_hits(body, EnrichedRecord)), None)


def similar(
    client: Elasticsearch, settings: ElasticsearchSettings, text: str, query: JsonObject, size: int
) -> list[Hit]:
    """Records of `query` with words similar to those of `text` (BM25), most similar first."""
    words = {"match": {"text": {"query": text, "minimum_should_match": "30%"}}}
    body = run_search(client, settings.index_prefix, query={"bool": {"filter": [query], "must": [words]}}, size=size)
    return [Hit(hit["_id"], record) for hit, record in decode_hits(body, EnrichedRecord)]


def _field_values(aggregations: JsonObject, name: str) -> FieldValues:
    shares = [Share(str(bucket["key"]), bucket["doc_count"]) for bucket in buckets(aggregations, name)]
    return FieldValues(shares, more=aggregations.get(name, {}).get("sum_other_doc_count", 0) > 0)


def _any_case(char: str) -> str:
    if char in "*?\\":
        return "?"
    if char.isascii() or char.lower() == char.upper():
        return char
    return "*" if len(char.casefold()) > 1 else "?"  # some letters are two in another case


def _values(after: str, count: int) -> list[Any]:
    try:
        values = decoded(json.loads, after)
    except DecodeError as error:
        raise ValueError("after is not a mark of a page") from error
    plain = isinstance(values, list) and all(value is None or isinstance(value, (str, int, float)) for value in values)
    if not plain or len(values) != count:
        raise ValueError("after is not a mark of a page")
    return list(values)
