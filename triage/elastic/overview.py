"""Reads the counts and records of the console's live page in four requests, cheap at any index size."""

from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import (
    BY_SENTIMENT,
    SentimentCounts,
    add_counts,
    buckets,
    event_time_range,
    sentiment_counts,
)
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search
from triage.elastic.search import Hit, decode_hits
from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel

_MAX_INTENTS = 100
_BY_CHANNEL = {"channel": {"terms": {"field": "channel", "size": len(Channel)}, "aggs": BY_SENTIMENT}}


@dataclass(frozen=True)
class Ranges:
    """Ranges of event times that the live page counts: starts in ms since the epoch; all end at `end_ms` (exclusive).

    The range from `slots_start_ms` is divided into slots of `slot_s` seconds, aligned to the epoch.
    """

    end_ms: int
    minute_start_ms: int
    hour_start_ms: int
    slots_start_ms: int
    slot_s: int
    intents_start_ms: int


@dataclass(frozen=True)
class Overview:
    """Counts for the console's live page, and the latest records, newest first.

    `last_minute` is a number of records. `slots` and the aligned `slots_by_channel` have no gaps; they start at the
    first slot that has a record. `processed_ms` is when the latest record was enriched; None without records.
    """

    all_time: SentimentCounts
    last_hour: SentimentCounts
    last_minute: int
    slots: list[SentimentCounts]
    slots_by_channel: dict[str, list[SentimentCounts]]
    intents: dict[str, SentimentCounts]
    latest: list[Hit]
    processed_ms: int | None


def overview(client: Elasticsearch, settings: ElasticsearchSettings, ranges: Ranges, size: int = 20) -> Overview:
    """Read the counts and the `size` latest records for the console's live page.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    # A separate request, which Elasticsearch answers from its cache for all days but today.
    all_time = run_search(client, settings.index_prefix, size=0, aggregations=BY_SENTIMENT)
    latest = run_search(client, settings.index_prefix, size=size, sort=[{"@timestamp": "desc"}])
    found = _recent(client, settings, ranges)
    slots, slots_by_channel = _slots(found.get("slots", {}), ranges)
    return Overview(
        all_time=sentiment_counts(all_time.get("aggregations", {})),
        last_hour=sentiment_counts(found.get("hour", {}), ranges.hour_start_ms),
        last_minute=found.get("minute", {}).get("doc_count", 0),
        slots=slots,
        slots_by_channel=slots_by_channel,
        intents={
            str(bucket["key"]): sentiment_counts(bucket, ranges.intents_start_ms)
            for bucket in buckets(found.get("intents", {}), "intent")
        },
        latest=[Hit(hit["_id"], record) for hit, record in decode_hits(latest, EnrichedRecord)],
        processed_ms=_processed_ms(client, settings),
    )


def _processed_ms(client: Elasticsearch, settings: ElasticsearchSettings) -> int | None:
    """The time at which the newest record was processed; by a sort, which needs the newest index only."""
    newest = run_search(client, settings.index_prefix, size=1, sort=[{"event.ingested": "desc"}], source=["event.id"])
    return next((int(hit["sort"][0]) for hit in newest["hits"]["hits"]), None)


def _recent(client: Elasticsearch, settings: ElasticsearchSettings, ranges: Ranges) -> JsonObject:
    """Aggregate all ranges in one pass over the days that they cover."""
    time = {"field": "@timestamp", "fixed_interval": f"{ranges.slot_s}s", "min_doc_count": 1}
    start_ms = min(ranges.minute_start_ms, ranges.hour_start_ms, ranges.slots_start_ms, ranges.intents_start_ms)
    body = run_search(
        client,
        settings.index_prefix,
        query={"bool": {"filter": event_time_range(start_ms, ranges.end_ms)}},
        size=0,
        aggregations={
            "hour": {"filter": event_time_range(ranges.hour_start_ms, ranges.end_ms)[0], "aggs": BY_SENTIMENT},
            "minute": {"filter": event_time_range(ranges.minute_start_ms, ranges.end_ms)[0]},
            "slots": {
                "filter": event_time_range(ranges.slots_start_ms, ranges.end_ms)[0],
                "aggs": {"time": {"date_histogram": time, "aggs": _BY_CHANNEL}},
            },
            "intents": {
                "filter": event_time_range(ranges.intents_start_ms, ranges.end_ms)[0],
                "aggs": {"intent": {"terms": {"field": "intent.label", "size": _MAX_INTENTS}, "aggs": BY_SENTIMENT}},
            },
        },
    )
    return dict(body.get("aggregations", {}))


def _slots(found: JsonObject, ranges: Ranges) -> tuple[list[SentimentCounts], dict[str, list[SentimentCounts]]]:
    filled = {
        bucket["key"]: {
            str(inner["key"]): sentiment_counts(inner, bucket["key"]) for inner in buckets(bucket, "channel")
        }
        for bucket in buckets(found, "time")
    }
    if not filled:
        return [], {}
    starts = range(min(filled), ranges.end_ms, ranges.slot_s * 1000)
    channels = sorted({channel for counts in filled.values() for channel in counts})
    by_channel = {
        channel: [filled.get(start, {}).get(channel, SentimentCounts(start, 0, 0, 0)) for start in starts]
        for channel in channels
    }
    return [add_counts(start, filled.get(start, {}).values()) for start in starts], by_channel
