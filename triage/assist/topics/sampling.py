"""Samples negative records that no intent explains well, evenly and in bounded memory."""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.assist.topics.detection import TopicRecord
from triage.clock import parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import event_time_range
from triage.elastic.documents import pages
from triage.elastic.mapping import JsonObject

WEEK_MS = 7 * 86_400_000
WEEKS_BEFORE = 4
_OTHER = "other"
_PAGE = 1_000
_TEXT_CHARS = 400
_FIELDS = ("channel", "brand", "product", "region")


@dataclass(frozen=True)
class Sample:
    """Records of a range of time: a sample of bounded size, and `total`, the number of all."""

    records: list[TopicRecord]
    total: int


def unexplained(start_ms: int, end_ms: int, confidence: float) -> JsonObject:
    """Query for negative records between two event times (ms), with intent `other` or one below `confidence`."""
    vague: list[JsonObject] = [
        {"term": {"intent.label": _OTHER}},
        {"range": {"intent.confidence": {"lt": confidence}}},
    ]
    return {
        "bool": {
            "filter": [
                *event_time_range(start_ms, end_ms),
                {"term": {"sentiment.label": "negative"}},
                {"bool": {"should": vague, "minimum_should_match": 1}},
            ]
        }
    }


def sample(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    start_ms: int,
    end_ms: int,
    new_from_ms: int,
    confidence: float,
    most: int,
) -> Sample:
    """At most `most` of the records that `unexplained` selects; weeks count back from `new_from_ms`, 0 from it on.

    Times are ms since the epoch, ends exclusive. A hash of the `_id` decides which are taken: two runs take the same
    ones. Raises Unavailable, AccessDenied, DependencyError.
    """
    query = unexplained(start_ms, end_ms, confidence)
    return _least((
        TopicRecord(
            each.id,
            " ".join(each.record.parts.joined(each.record.text).split())[:_TEXT_CHARS],
            _week(parse_rfc3339(each.record.timestamp), new_from_ms),
            tuple((name, value) for name in _FIELDS if (value := getattr(each.record, name)) is not None),
        )
        for page in pages(client, settings, query, _PAGE)
        for each in page
        if each.record.written
    ), most)  # fmt: skip


def _least(records: Iterable[TopicRecord], most: int) -> Sample:
    """The records with the least hashes; only so many are kept in memory at any time."""
    total = 0

    def hashed() -> Iterator[tuple[bytes, str, TopicRecord]]:
        nonlocal total
        for each in records:
            total += 1
            yield hashlib.blake2b(each.id.encode(), digest_size=8).digest(), each.id, each

    kept = heapq.nsmallest(most, hashed(), key=lambda each: each[:2])
    return Sample([record for _, _, record in kept], total)


def _week(at_ms: int, new_from_ms: int) -> int:
    return 0 if at_ms >= new_from_ms else 1 + (new_from_ms - 1 - at_ms) // WEEK_MS
