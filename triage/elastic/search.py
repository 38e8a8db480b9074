"""Queries of the console and the alerter, through the aliases. Times are event times in ms; ends are exclusive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import BY_SENTIMENT, SentimentCounts, buckets, event_time_range, sentiment_counts
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import read_document, read_documents, run_search
from triage.logging import get_logger
from triage.schemas.alert import Alert, Example, Share
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel

_log = get_logger(__name__)
_MAX_BUCKETS = 10_000
# Index fields of dimensions that have another name.
DIMENSION_FIELDS = {
    "intent": "intent.label",
    "sentiment": "sentiment.label",
    "severity": "severity.level",
    "queue": "route.queue",
}
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Values(Protocol):
    """A condition of an alert rule on a field: the values it must have (`in_`) or must not have (`not_in`), or None."""

    @property
    def in_(self) -> list[str] | None: ...

    @property
    def not_in(self) -> list[str] | None: ...


# By dimension: the value it must have, or a condition on it.
Conditions = Mapping[str, str | Values]


@dataclass(frozen=True)
class Hit:
    """One record found by a search, and its `_id`."""

    id: str
    record: EnrichedRecord


def latest(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    size: int = 50,
    *,
    dimensions: Mapping[str, str] | None = None,
    text: str | None = None,
) -> list[Hit]:
    """The newest records, newest first, that match `dimensions` and contain all words of `text`.

    Raises Unavailable, AccessDenied, DependencyError, as every query in this module.
    """
    query = filters(dimensions)
    if text:
        query["bool"]["must"] = [{"match": {"text": {"query": text, "operator": "and"}}}]
    body = run_search(client, settings.index_prefix, query=query, size=size, sort=[{"@timestamp": "desc"}])
    return [Hit(hit["_id"], record) for hit, record in decode_hits(body, EnrichedRecord)]


def totals(
    client: Elasticsearch, settings: ElasticsearchSettings, start_ms: int | None = None, end_ms: int | None = None
) -> SentimentCounts:
    """Exact number of records by sentiment in a range of event times; None sets no bound.

    The result's `start_ms` is 0 without a `start_ms`.
    """
    aggregations = {label.value: {"filter": {"term": {"sentiment.label": label.value}}} for label in SentimentLabel}
    body = run_search(
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
    """Counts by sentiment of each interval of `interval_s` seconds, in order, without gaps.

    Intervals are aligned to the epoch. Raises ValueError for more than 10,000 intervals.
    """
    step = interval_s * 1000
    first = start_ms // step * step
    if (end_ms - first) / step > _MAX_BUCKETS:
        raise ValueError(f"more than {_MAX_BUCKETS} intervals; use an interval longer than {interval_s} s")
    body = run_search(
        client,
        settings.index_prefix,
        query=filters(dimensions, start_ms, end_ms),
        size=0,
        aggregations={
            "time": {
                "date_histogram": {"field": "@timestamp", "fixed_interval": f"{interval_s}s", "min_doc_count": 1},
                "aggs": BY_SENTIMENT,
            }
        },
    )
    found = {
        bucket["key"]: sentiment_counts(bucket, bucket["key"])
        for bucket in buckets(body.get("aggregations", {}), "time")
    }
    return [found.get(at, SentimentCounts(at, 0, 0, 0)) for at in range(first, end_ms, step)]


def top_intents(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    start_ms: int,
    end_ms: int,
    *,
    dimensions: Conditions | None = None,
    size: int = 10,
) -> list[Share]:
    """The `size` most frequent intents of the negative records in a range of event times, with their counts."""
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
    """The `size` most frequent values of a keyword field (`brand`, `severity.level`) and their counts of records."""
    body = run_search(
        client,
        settings.index_prefix,
        query=filters(dimensions, start_ms, end_ms),
        size=0,
        aggregations={"top": {"terms": {"field": field, "size": size}}},
    )
    return [
        Share(value=str(bucket["key"]), count=bucket["doc_count"])
        for bucket in buckets(body.get("aggregations", {}), "top")
    ]


def examples(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    size: int = 3,
) -> list[Example]:
    """The `size` most negative records from `start_ms` to `end_ms`, most negative first, with redacted texts."""
    body = run_search(
        client,
        settings.index_prefix,
        query=filters({**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}, start_ms, end_ms),
        size=size,
        sort=[{"sentiment.score": "asc"}, {"@timestamp": "desc"}],
    )
    return [
        Example(hit["_id"], record.text, record.intent.label, record.channel, record.timestamp)
        for hit, record in decode_hits(body, EnrichedRecord)
    ]


def texts(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Conditions | None,
    start_ms: int,
    end_ms: int,
    size: int,
) -> list[str]:
    """Redacted texts of at most `size` negative records between `start_ms` and `end_ms`, newest first.

    `dimensions` filters the records by field. Raises Unavailable, AccessDenied, DependencyError.
    """
    body = run_search(
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
    """Count the negative records from `start_ms` to `end_ms`, in total and for each value of `probes`.

    `probes` maps fields to values. Returns the total, and the counts by field and value. In the full-text field
    `text`, a value matches as a phrase.
    """
    pairs = [(field, value) for field, values in probes.items() for value in values]
    negative = {"filter": {"term": {"sentiment.label": SentimentLabel.NEGATIVE.value}}}
    aggregations = {f"p{index}": {"filter": _probe(*one)} for index, one in enumerate(pairs)}
    body = run_search(
        client,
        settings.index_prefix,
        query=filters({**(dimensions or {}), "sentiment": SentimentLabel.NEGATIVE.value}, start_ms, end_ms),
        size=0,
        aggregations={"all": negative, **aggregations},
    )
    found = body.get("aggregations", {})
    counts: dict[str, dict[str, int]] = {field: {} for field in probes}
    for index, (field, value) in enumerate(pairs):
        counts[field][value] = found.get(f"p{index}", {}).get("doc_count", 0)
    return found.get("all", {}).get("doc_count", 0), counts


def open_alerts(client: Elasticsearch, settings: ElasticsearchSettings, size: int = 100) -> list[Alert]:
    """The latest `size` alerts that are firing, newest start first."""
    return recent_alerts(client, settings, size, status="firing")


def recent_alerts(
    client: Elasticsearch, settings: ElasticsearchSettings, size: int = 100, *, status: str | None = None
) -> list[Alert]:
    """The latest alerts, newest start first; only those with `status` unless it is None."""
    query: JsonObject = {"bool": {"filter": [{"term": {"status": status}}] if status else []}}
    body = run_search(client, settings.alerts_index, query=query, size=size, sort=[{"started_at": "desc"}])
    return [alert for _, alert in decode_hits(body, Alert)]


def find_alert(client: Elasticsearch, settings: ElasticsearchSettings, dedup_key: str) -> Alert | None:
    """The alert with this dedup key; None if there is none. Raises Unavailable, AccessDenied, DependencyError."""
    found = read_document(client, settings.alerts_index, dedup_key)
    hits = [] if found is None else [found]
    return next((alert for _, alert in decode_hits({"hits": {"hits": hits}}, Alert)), None)


def find_alerts(client: Elasticsearch, settings: ElasticsearchSettings, keys: Sequence[str]) -> list[tuple[int, Alert]]:
    """(document version, alert) of the stored alerts with these dedup keys, a few hundred keys at most.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    found = read_documents(client, [(settings.alerts_index, key) for key in keys])
    return [(hit["_version"], alert) for hit, alert in decode_hits({"hits": {"hits": found}}, Alert)]


def past_alerts(client: Elasticsearch, settings: ElasticsearchSettings, alert: Alert, size: int = 10) -> list[Alert]:
    """Earlier alerts of the same rule and key, the latest first. Raises Unavailable, AccessDenied, DependencyError."""
    query: JsonObject = {
        "bool": {
            "filter": [
                {"term": {"rule": alert.rule}},
                {"term": {"key": alert.key}},
                {"range": {"started_at": {"lt": alert.started_at}}},
            ]
        }
    }
    body = run_search(client, settings.alerts_index, query=query, size=size, sort=[{"started_at": "desc"}])
    return [alert for _, alert in decode_hits(body, Alert)]


def alerts_with_prefix(client: Elasticsearch, settings: ElasticsearchSettings, prefix: str, size: int) -> list[Alert]:
    """Alerts whose dedup key begins with `prefix`, latest start first.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    query: JsonObject = {"bool": {"filter": [{"prefix": {"dedup_key": prefix}}]}}
    body = run_search(client, settings.alerts_index, query=query, size=size, sort=[{"started_at": "desc"}])
    return [alert for _, alert in decode_hits(body, Alert)]


def _probe(field: str, value: str) -> JsonObject:
    return {"match_phrase": {"text": value}} if field == "text" else {"term": {field: value}}


def filters(dimensions: Conditions | None, start_ms: int | None = None, end_ms: int | None = None) -> JsonObject:
    """Query for records with these dimensions (name or field to its value or `Values`) in this range of event times.

    None sets no bound.
    """
    required = event_time_range(start_ms, end_ms)
    excluded: list[JsonObject] = []
    for name, value in (dimensions or {}).items():
        field = DIMENSION_FIELDS.get(name, name)
        if isinstance(value, str):
            required.append({"term": {field: value}})
            continue
        if value.in_ is not None:
            required.append({"terms": {field: value.in_}})
        if value.not_in is not None:
            excluded.append({"terms": {field: value.not_in}})
    return {"bool": {"filter": required, **({"must_not": excluded} if excluded else {})}}


def decode_hits(body: JsonObject, struct: type[_Struct]) -> Iterator[tuple[JsonObject, _Struct]]:
    """Yield (hit, document) of a search's response, the document decoded as `struct`.

    A document that cannot be decoded is logged and left out.
    """
    for hit in body["hits"]["hits"]:
        try:
            yield hit, msgspec.convert(hit["_source"], struct)
        except msgspec.ValidationError as error:
            # Written by another version of triage: it must not hide the other documents.
            _log.warning("document_not_understood", index=hit["_index"], id=hit["_id"], error=str(error))
