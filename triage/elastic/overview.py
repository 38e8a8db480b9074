"""All that a page of live figures needs, in one request: one pass over the index instead of one a figure."""

from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit, SentimentCounts, decoded
from triage.schemas.enriched import EnrichedRecord
from triage.types import SentimentLabel

_MAX_INTENTS = 100
_SENTIMENTS = tuple(label.value for label in SentimentLabel)
_BY_SENTIMENT = {"sentiment": {"terms": {"field": "sentiment.label", "size": len(_SENTIMENTS)}}}


@dataclass(frozen=True)
class Ranges:
    """What to count: event times in ms, all ranges end before `end_ms`, slots are aligned to the epoch."""

    end_ms: int
    minute_start_ms: int
    hour_start_ms: int
    slots_start_ms: int
    slot_s: int
    intents_start_ms: int


@dataclass(frozen=True)
class Overview:
    """`slots` run without gaps from the first that holds a record; `latest` is newest first."""

    all_time: SentimentCounts
    last_hour: SentimentCounts
    last_minute: int
    slots: list[SentimentCounts]
    intents: dict[str, SentimentCounts]
    latest: list[Hit]


def overview(client: Elasticsearch, settings: ElasticsearchSettings, ranges: Ranges, size: int = 20) -> Overview:
    """Raises Unavailable, AccessDenied, DependencyError."""
    time = {"field": "@timestamp", "fixed_interval": f"{ranges.slot_s}s", "min_doc_count": 1}
    with translated():
        body = client.search(
            index=settings.index_prefix,
            ignore_unavailable=True,
            track_total_hits=False,
            size=size,
            sort=[{"@timestamp": "desc"}],
            aggregations={
                **_BY_SENTIMENT,
                "hour": {"filter": _between(ranges.hour_start_ms, ranges.end_ms), "aggs": _BY_SENTIMENT},
                "minute": {"filter": _between(ranges.minute_start_ms, ranges.end_ms)},
                "slots": {
                    "filter": _between(ranges.slots_start_ms, ranges.end_ms),
                    "aggs": {"time": {"date_histogram": time, "aggs": _BY_SENTIMENT}},
                },
                "intents": {
                    "filter": _between(ranges.intents_start_ms, ranges.end_ms),
                    "aggs": {
                        "intent": {"terms": {"field": "intent.label", "size": _MAX_INTENTS}, "aggs": _BY_SENTIMENT}
                    },
                },
            },
        ).body
    found = body.get("aggregations", {})
    return Overview(
        all_time=_counts(found),
        last_hour=_counts(found.get("hour", {}), ranges.hour_start_ms),
        last_minute=found.get("minute", {}).get("doc_count", 0),
        slots=_slots(found.get("slots", {}), ranges),
        intents={
            str(bucket["key"]): _counts(bucket, ranges.intents_start_ms)
            for bucket in _buckets(found.get("intents", {}), "intent")
        },
        latest=[Hit(hit["_id"], record) for hit, record in decoded(dict(body), EnrichedRecord)],
    )


def _slots(found: JsonObject, ranges: Ranges) -> list[SentimentCounts]:
    filled = {bucket["key"]: _counts(bucket, bucket["key"]) for bucket in _buckets(found, "time")}
    if not filled:
        return []
    starts = range(min(filled), ranges.end_ms, ranges.slot_s * 1000)
    return [filled.get(start, SentimentCounts(start, 0, 0, 0)) for start in starts]


def _counts(found: JsonObject, start_ms: int = 0) -> SentimentCounts:
    counts = {bucket["key"]: bucket["doc_count"] for bucket in _buckets(found, "sentiment")}
    return SentimentCounts(start_ms, *(counts.get(label, 0) for label in _SENTIMENTS))


def _buckets(found: JsonObject, name: str) -> list[JsonObject]:
    return list(found.get(name, {}).get("buckets", []))


def _between(start_ms: int, end_ms: int) -> dict[str, Any]:
    return {"range": {"@timestamp": {"gte": rfc3339(start_ms), "lt": rfc3339(end_ms)}}}
