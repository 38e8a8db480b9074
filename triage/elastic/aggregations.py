"""Parts of Elasticsearch queries and responses that several modules share: event time filters, counts by sentiment."""

from collections.abc import Iterable
from dataclasses import dataclass

from triage.clock import rfc3339
from triage.elastic.mapping import JsonObject
from triage.types import SentimentLabel

_SENTIMENTS = tuple(label.value for label in SentimentLabel)
BY_SENTIMENT: JsonObject = {"sentiment": {"terms": {"field": "sentiment.label", "size": len(_SENTIMENTS)}}}


@dataclass(frozen=True)
class SentimentCounts:
    """Number of records by sentiment, in one interval or overall.

    `start_ms` is the start of the counted interval in ms since the epoch, 0 without a start.
    """

    start_ms: int
    negative: int
    neutral: int
    positive: int

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive


def event_time_range(start_ms: int | None, end_ms: int | None) -> list[JsonObject]:
    """Elasticsearch filters on the event time, from `start_ms` to `end_ms` (ms since the epoch, end exclusive).

    None sets no bound; without any bound the list is empty.
    """
    bounds = {bound: rfc3339(ms) for bound, ms in (("gte", start_ms), ("lt", end_ms)) if ms is not None}
    return [{"range": {"@timestamp": bounds}}] if bounds else []


def buckets(aggregations: JsonObject, name: str) -> list[JsonObject]:
    """Buckets of the aggregation `name` in a response's `aggregations`; empty if the index does not exist."""
    return list(aggregations.get(name, {}).get("buckets", []))


def sentiment_counts(bucket: JsonObject, start_ms: int = 0) -> SentimentCounts:
    """Counts by sentiment of one bucket of a response, which must have the sub-aggregation `BY_SENTIMENT`.

    `start_ms` is the start of the bucket's interval.
    """
    counts = {inner["key"]: inner["doc_count"] for inner in buckets(bucket, "sentiment")}
    return SentimentCounts(start_ms, *(counts.get(label, 0) for label in _SENTIMENTS))


def add_counts(start_ms: int, counts: Iterable[SentimentCounts]) -> SentimentCounts:
    """Sum of several counts by sentiment, as counts that start at `start_ms`."""
    given = list(counts)
    return SentimentCounts(start_ms, *(sum(getattr(each, name) for each in given) for name in _SENTIMENTS))
