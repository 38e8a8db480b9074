"""All that a page of live figures needs, in three requests, each cheap however many records there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.mapping import JsonObject
from triage.elastic.search import Hit, SentimentCounts, answer_of, decoded
from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel, SentimentLabel

_MAX_INTENTS = 100
_SENTIMENTS = tuple(label.value for label in SentimentLabel)
_BY_SENTIMENT = {"sentiment": {"terms": {"field": "sentiment.label", "size": len(_SENTIMENTS)}}}
_BY_CHANNEL = {"channel": {"terms": {"field": "channel", "size": len(Channel)}, "aggs": _BY_SENTIMENT}}


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
    """`slots` run without gaps from the first that holds a record, those of each channel beside them.

    `latest` is newest first.
    """

    all_time: SentimentCounts
    last_hour: SentimentCounts
    last_minute: int
    slots: list[SentimentCounts]
    slots_by_channel: dict[str, list[SentimentCounts]]
    intents: dict[str, SentimentCounts]
    latest: list[Hit]


def overview(client: Elasticsearch, settings: ElasticsearchSettings, ranges: Ranges, size: int = 20) -> Overview:
    """Raises Unavailable, AccessDenied, DependencyError."""
    # Asked for by itself, so that Elasticsearch answers it from its cache for all days but today.
    ever = answer_of(client, settings.index_prefix, size=0, aggregations=_BY_SENTIMENT)
    latest = answer_of(client, settings.index_prefix, size=size, sort=[{"@timestamp": "desc"}])
    found = _lately(client, settings, ranges)
    slots, slots_by_channel = _slots(found.get("slots", {}), ranges)
    return Overview(
        all_time=_counts(ever.get("aggregations", {})),
        last_hour=_counts(found.get("hour", {}), ranges.hour_start_ms),
        last_minute=found.get("minute", {}).get("doc_count", 0),
        slots=slots,
        slots_by_channel=slots_by_channel,
        intents={
            str(bucket["key"]): _counts(bucket, ranges.intents_start_ms)
            for bucket in _buckets(found.get("intents", {}), "intent")
        },
        latest=[Hit(hit["_id"], record) for hit, record in decoded(latest, EnrichedRecord)],
    )


def _lately(client: Elasticsearch, settings: ElasticsearchSettings, ranges: Ranges) -> JsonObject:
    """Aggregations of all ranges in one pass, over the days that they reach back to alone."""
    time = {"field": "@timestamp", "fixed_interval": f"{ranges.slot_s}s", "min_doc_count": 1}
    start_ms = min(ranges.minute_start_ms, ranges.hour_start_ms, ranges.slots_start_ms, ranges.intents_start_ms)
    body = answer_of(
        client,
        settings.index_prefix,
        query={"bool": {"filter": [_between(start_ms, ranges.end_ms)]}},
        size=0,
        aggregations={
            "hour": {"filter": _between(ranges.hour_start_ms, ranges.end_ms), "aggs": _BY_SENTIMENT},
            "minute": {"filter": _between(ranges.minute_start_ms, ranges.end_ms)},
            "slots": {
                "filter": _between(ranges.slots_start_ms, ranges.end_ms),
                "aggs": {"time": {"date_histogram": time, "aggs": _BY_CHANNEL}},
            },
            "intents": {
                "filter": _between(ranges.intents_start_ms, ranges.end_ms),
                "aggs": {"intent": {"terms": {"field": "intent.label", "size": _MAX_INTENTS}, "aggs": _BY_SENTIMENT}},
            },
        },
    )
    return dict(body.get("aggregations", {}))


def _slots(found: JsonObject, ranges: Ranges) -> tuple[list[SentimentCounts], dict[str, list[SentimentCounts]]]:
    filled = {
        bucket["key"]: {str(inner["key"]): _counts(inner, bucket["key"]) for inner in _buckets(bucket, "channel")}
        for bucket in _buckets(found, "time")
    }
    if not filled:
        return [], {}
    starts = range(min(filled), ranges.end_ms, ranges.slot_s * 1000)
    channels = sorted({channel for counts in filled.values() for channel in counts})
    by_channel = {
        channel: [filled.get(start, {}).get(channel, SentimentCounts(start, 0, 0, 0)) for start in starts]
        for channel in channels
    }
    return [_sum(start, filled.get(start, {}).values()) for start in starts], by_channel


def _sum(start_ms: int, counts: Iterable[SentimentCounts]) -> SentimentCounts:
    given = list(counts)
    return SentimentCounts(start_ms, *(sum(getattr(one, name) for one in given) for name in _SENTIMENTS))


def _counts(found: JsonObject, start_ms: int = 0) -> SentimentCounts:
    counts = {bucket["key"]: bucket["doc_count"] for bucket in _buckets(found, "sentiment")}
    return SentimentCounts(start_ms, *(counts.get(label, 0) for label in _SENTIMENTS))


def _buckets(found: JsonObject, name: str) -> list[JsonObject]:
    return list(found.get(name, {}).get("buckets", []))


def _between(start_ms: int, end_ms: int) -> dict[str, Any]:
    return {"range": {"@timestamp": {"gte": rfc3339(start_ms), "lt": rfc3339(end_ms)}}}
