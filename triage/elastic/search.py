"""Queries of the console and the alerter, all through the aliases; times are event times in ms, ends are exclusive."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.mapping import JsonObject
from triage.logging import get_logger
from triage.schemas.alert import Alert, Example, Share
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel

_log = get_logger(__name__)
_MAX_BUCKETS = 10_000
# Fields of a dimension whose name is not the field's own.
DIMENSION_FIELDS = {
    "intent": "intent.label",
    "sentiment": "sentiment.label",
    "severity": "severity.level",
    "queue": "route.queue",
}
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Values(Protocol):
    """A condition on a field, as alert rules have it."""

    @property
    def in_(self) -> list[str] | None: ...

    @property
    def not_in(self) -> list[str] | None: ...


# By dimension: the value it must have, or what its value must be like.
Conditions = Mapping[str, str | Values]


@dataclass(frozen=True)
class Hit:
    """A record and its `_id`."""

    id: str
    record: EnrichedRecord


@dataclass(frozen=True)
class SentimentCounts:
    """Records by sentiment in one interval, or in all."""

    start_ms: int
    negative: int
    neutral: int
    positive: int

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive


def latest(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    size: int = 50,
    *,
    dimensions: Mapping[str, str] | None = None,
    text: str | None = None,
) -> list[Hit]:
    """The newest records, newest first; `dimensions` and the words of `text` (all of them) narrow them down.

    Like every query here: raises Unavailable, AccessDenied, DependencyError.
    """
    query = filters(dimensions)
    if text:
        query["bool"]["must"] = [{"match": {"text": {"query": text, "operator": "and"}}}]
    body = answer_of(client, settings.index_prefix, query=query, size=size, sort=[{"@timestamp": "desc"}])
    return [Hit(hit["_id"], record) for hit, record in decoded(body, EnrichedRecord)]


def totals(
    client: Elasticsearch, settings: ElasticsearchSettings, start_ms: int | None = None, end_ms: int | None = None
) -> SentimentCounts:
    """Exact number of records by sentiment; `start_ms` is 0 where none is given."""
    aggregations = {label.value: {"filter": {"term": {"sentiment.label": label.value}}} for label in SentimentLabel}
    body = answer_of(
        client, settings.index_prefix, query=filters(None, start_ms, end_ms), size=0, aggregations=aggregations
    )
    found = body.get("aggregations", {})
    counts = {label: found.get(label, {}).get("doc_count", 0) for label in aggregations}
    return SentimentCounts(start_ms or 0, **counts)


def sentiment_over_time(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    start_ms: int,
    end_ms: int,
    interval_s: int,
    *,
    dimensions: Mapping[str, str] | None = None,
) -> list[SentimentCounts]:
    """Counts per interval, in order, without gaps; intervals are aligned to the epoch.

    Raises ValueError for more than 10,000 intervals.
    """
    step = interval_s * 1000
    first = start_ms // step * step
    if (end_ms - first) / step > _MAX_BUCKETS:
        raise ValueError(f"more than {_MAX_BUCKETS} intervals; take a larger interval than {interval_s} s")
    body = answer_of(
        client,
        settings.index_prefix,
        query=filters(dimensions, start_ms, end_ms),
        size=0,
        aggregations={
            "time": {
                "date_histogram": {"field": "@timestamp", "fixed_interval": f"{interval_s}s", "min_doc_count": 1},
                "aggs": {"sentiment": {"terms": {"field": "sentiment.label", "size": len(SentimentLabel)}}},
            }
        },
    )
    found: dict[int, dict[str, int]] = {
        bucket["key"]: {inner["key"]: inner["doc_count"] for inner in bucket["sentiment"]["buckets"]}
        for bucket in _buckets(body, "time")
    }
    return [
        SentimentCounts(at, *(found.get(at, {}).get(label, 0) for label in ("negative", "neutral", "positive")))
        for at in range(first, end_ms, step)
    ]


def top_intents(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    start_ms: int,
    end_ms: int,
    *,
    dimensions: Conditions | None = None,
    size: int = 10,
) -> list[Share]:
    """Intents by number of negative records, most first."""
    negative = {**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}
    return top_terms(client, settings, "intent.label", negative, start_ms, end_ms, size=size)


def top_terms(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    field: str,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    *,
    size: int = 10,
) -> list[Share]:
    """Values of a keyword field (`brand`, `entities.text`, `severity.level`) by number of records, most first."""
    body = answer_of(
        client,
        settings.index_prefix,
        query=filters(dimensions, start_ms, end_ms),
        size=0,
        aggregations={"top": {"terms": {"field": field, "size": size}}},
    )
    return [Share(value=str(bucket["key"]), count=bucket["doc_count"]) for bucket in _buckets(body, "top")]


def examples(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    size: int = 3,
) -> list[Example]:
    """The most negative records of a window, most negative first; their texts are redacted as indexed."""
    body = answer_of(
        client,
        settings.index_prefix,
        query=filters({**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}, start_ms, end_ms),
        size=size,
        sort=[{"sentiment.score": "asc"}, {"@timestamp": "desc"}],
    )
    return [
        Example(hit["_id"], record.text, record.intent.label, record.channel, record.timestamp)
        for hit, record in decoded(body, EnrichedRecord)
    ]


def texts(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    size: int,
) -> list[str]:
    """Redacted texts of a window's negative records, newest first."""
    body = answer_of(
        client,
        settings.index_prefix,
        query=filters({**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}, start_ms, end_ms),
        size=size,
        sort=[{"@timestamp": "desc"}],
        source=["text"],
    )
    return [str(hit["_source"].get("text", "")) for hit in body["hits"]["hits"]]


def count_negative(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    probes: Mapping[str, Iterable[str]],
) -> tuple[int, dict[str, dict[str, int]]]:
    """Negative records of a window, and how many of them have each value that `probes` names by field.

    `text` is a field of words: a value is found wherever it stands, as the index analyses it.
    """
    asked = [(field, value) for field, values in probes.items() for value in values]
    negative = {"filter": {"term": {"sentiment.label": SentimentLabel.NEGATIVE.value}}}
    aggregations = {f"p{index}": {"filter": _probe(*one)} for index, one in enumerate(asked)}
    body = answer_of(
        client,
        settings.index_prefix,
        query=filters({**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}, start_ms, end_ms),
        size=0,
        aggregations={"all": negative, **aggregations},
    )
    found = body.get("aggregations", {})
    counts: dict[str, dict[str, int]] = {field: {} for field in probes}
    for index, (field, value) in enumerate(asked):
        counts[field][value] = found.get(f"p{index}", {}).get("doc_count", 0)
    return found.get("all", {}).get("doc_count", 0), counts


def open_alerts(client: Elasticsearch, settings: ElasticsearchSettings, size: int = 100) -> list[Alert]:
    """Alerts that are firing, newest first."""
    return recent_alerts(client, settings, size, status="firing")


def recent_alerts(
    client: Elasticsearch, settings: ElasticsearchSettings, size: int = 100, *, status: str | None = None
) -> list[Alert]:
    """Alerts by their start, newest first."""
    query: JsonObject = {"bool": {"filter": [{"term": {"status": status}}] if status else []}}
    body = answer_of(client, settings.alerts_index, query=query, size=size, sort=[{"started_at": "desc"}])
    return [alert for _, alert in decoded(body, Alert)]


def find_alert(client: Elasticsearch, settings: ElasticsearchSettings, dedup_key: str) -> Alert | None:
    """The alert with this key; None where the index has none. Raises Unavailable, AccessDenied, DependencyError."""
    with translated():
        body = client.options(ignore_status=404).get(index=settings.alerts_index, id=dedup_key).body
    return next((alert for _, alert in decoded({"hits": {"hits": [body]}}, Alert)), None) if body.get("found") else None


def _probe(field: str, value: str) -> JsonObject:
    return {"match_phrase": {"text": value}} if field == "text" else {"term": {field: value}}


def filters(dimensions: Conditions | None, start_ms: int | None = None, end_ms: int | None = None) -> JsonObject:
    """The query for records of these dimensions and this time."""
    wanted: list[JsonObject] = []
    refused: list[JsonObject] = []
    for name, value in (dimensions or {}).items():
        field = DIMENSION_FIELDS.get(name, name)
        if isinstance(value, str):
            wanted.append({"term": {field: value}})
            continue
        if value.in_ is not None:
            wanted.append({"terms": {field: value.in_}})
        if value.not_in is not None:
            refused.append({"terms": {field: value.not_in}})
    window = {bound: rfc3339(ms) for bound, ms in (("gte", start_ms), ("lt", end_ms)) if ms is not None}
    if window:
        wanted.append({"range": {"@timestamp": window}})
    return {"bool": {"filter": wanted, **({"must_not": refused} if refused else {})}}


def answer_of(client: Elasticsearch, alias: str, **body: Any) -> JsonObject:
    """The answer to a search. Raises Unavailable, AccessDenied, DependencyError."""
    # Before the first record, alert or correction there is no index behind the name.
    with translated():
        response = client.search(index=alias, ignore_unavailable=True, track_total_hits=False, **body)
    return dict(response.body)


def _buckets(body: JsonObject, name: str) -> list[JsonObject]:
    return list(body.get("aggregations", {}).get(name, {}).get("buckets", []))


def decoded(body: JsonObject, struct: type[_Struct]) -> Iterator[tuple[JsonObject, _Struct]]:
    """Hits of a search with their documents; one that does not decode is logged and left out."""
    for hit in body["hits"]["hits"]:
        try:
            yield hit, msgspec.convert(hit["_source"], struct)
        except msgspec.ValidationError as error:
            # Written by another version: one such document must not hide all others.
            _log.warning("document_not_understood", index=hit["_index"], id=hit["_id"], error=str(error))
