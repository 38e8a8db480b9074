"""Queries of people who look around: filtered and aggregated alone, newest first, paged by `search_after`.

Nothing here reads more than a page of documents, however many match. All functions raise Unavailable, AccessDenied,
DependencyError.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit, SentimentCounts, answer_of, decoded
from triage.schemas.alert import Share
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel

_SENTIMENTS = tuple(label.value for label in SentimentLabel)
_BY_SENTIMENT = {"sentiment": {"terms": {"field": "sentiment.label", "size": len(_SENTIMENTS)}}}
# The last three tell documents of one moment apart: `_id` is their hash.
_ORDER: list[JsonObject] = [
    {"@timestamp": "desc"},
    {"event.id": "asc"},
    {"channel": "asc"},
    {"source": {"order": "asc", "missing": "_first"}},
]
_AFTER_VALUES = len(_ORDER)


@dataclass(frozen=True)
class Page:
    """Records in their order; `after` asks for those that follow, None where these were the last."""

    hits: list[Hit]
    after: str | None


@dataclass(frozen=True)
class Figures:
    """What all matching records have in common: how many, by sentiment over time, and the values of each field."""

    total: int
    sentiment: SentimentCounts
    slots: list[SentimentCounts]
    facets: dict[str, list[Share]]


def records_page(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    size: int,
    after: str | None = None,
    *,
    order: Sequence[JsonObject] = _ORDER,
) -> Page:
    """A page of records, newest first. Raises ValueError for an `after` that no page has given."""
    found = answer_of(
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
        [Hit(hit["_id"], record) for hit, record in decoded(found, EnrichedRecord)],
        json.dumps(hits[-1]["sort"], separators=(",", ":")) if more else None,
    )


def figures(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    fields: Mapping[str, int],
    interval_s: int,
) -> Figures:
    """Counts of a query in one request; `fields` are keyword fields and how many values of each are wanted."""
    time = {"field": "@timestamp", "fixed_interval": f"{interval_s}s", "min_doc_count": 1}
    found = answer_of(
        client,
        settings.index_prefix,
        query=query,
        size=0,
        aggregations={
            **_BY_SENTIMENT,
            "time": {"date_histogram": time, "aggs": _BY_SENTIMENT},
            **{f"f:{field}": {"terms": {"field": field, "size": size}} for field, size in fields.items()},
        },
    ).get("aggregations", {})
    slots = [_counts(bucket, bucket["key"]) for bucket in _buckets(found, "time")]
    overall = _counts(found)
    return Figures(
        total=overall.total,
        sentiment=overall,
        slots=slots,
        facets={
            field: [Share(str(bucket["key"]), bucket["doc_count"]) for bucket in _buckets(found, f"f:{field}")]
            for field in fields
        },
    )


def find_record(client: Elasticsearch, settings: ElasticsearchSettings, record_id: str) -> Hit | None:
    """The record with this `_id`, the newest where several indices have one; None where none has."""
    query = {"ids": {"values": [record_id]}}
    body = answer_of(client, settings.index_prefix, query=query, size=1, sort=[{"@timestamp": "desc"}])
    return next((Hit(hit["_id"], record) for hit, record in decoded(body, EnrichedRecord)), None)


def similar(
    client: Elasticsearch, settings: ElasticsearchSettings, text: str, query: JsonObject, size: int
) -> list[Hit]:
    """Records of `query` whose words are most like those of `text` (BM25), most alike first."""
    words = {"match": {"text": {"query": text, "minimum_should_match": "30%"}}}
    body = answer_of(client, settings.index_prefix, query={"bool": {"filter": [query], "must": [words]}}, size=size)
    return [Hit(hit["_id"], record) for hit, record in decoded(body, EnrichedRecord)]


def between(start_ms: int | None, end_ms: int | None) -> list[JsonObject]:
    """Filters on the event time; the end is exclusive."""
    bounds = {bound: rfc3339(ms) for bound, ms in (("gte", start_ms), ("lt", end_ms)) if ms is not None}
    return [{"range": {"@timestamp": bounds}}] if bounds else []


def _values(after: str, count: int) -> list[Any]:
    try:
        values = json.loads(after)
    except ValueError as error:
        raise ValueError("after: no page has this mark") from error
    plain = isinstance(values, list) and all(value is None or isinstance(value, (str, int, float)) for value in values)
    if not plain or len(values) != count:
        raise ValueError("after: no page has this mark")
    return list(values)


def _counts(found: JsonObject, start_ms: int = 0) -> SentimentCounts:
    counts = {bucket["key"]: bucket["doc_count"] for bucket in _buckets(found, "sentiment")}
    return SentimentCounts(start_ms, *(counts.get(label, 0) for label in _SENTIMENTS))


def _buckets(found: JsonObject, name: str) -> list[JsonObject]:
    return list(found.get(name, {}).get("buckets", []))
