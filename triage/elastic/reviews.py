"""Finds reviews of products that praise or blame an aspect."""

from collections.abc import Sequence
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import event_time_range
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_searches
from triage.elastic.search import Hit, decode_hits
from triage.errors import TriageError
from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel

POLARITIES = ("positive", "negative")


@dataclass(frozen=True)
class Reviewed:
    """An item by the values of `product` and `brand` in records of its reviews; without `brands`, of any brand."""

    products: Sequence[str]
    brands: Sequence[str] = ()


@dataclass(frozen=True)
class FoundReviews:
    """Numbers of reviews that praise and that blame any aspect, and the newest reviews of each kind (praise first)."""

    praising: int
    blaming: int
    hits: tuple[list[Hit], list[Hit]]


def find_reviews(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    items: Sequence[Reviewed],
    start_ms: int,
    end_ms: int,
    size: int,
    language: str | None = None,
) -> list[FoundReviews]:
    """For each item, count reviews of each polarity between two event times (ms, end exclusive), and read the newest.

    Those in `language` are read before all others, if it is given. Reads at most `size` of each polarity. Only records
    of the channel review, which their writers made public: complaints are never shown to customers. Raises Unavailable,
    AccessDenied, DependencyError.
    """
    bodies: list[JsonObject] = []
    for each in items:
        within: list[JsonObject] = [
            *event_time_range(start_ms, end_ms),
            {"term": {"channel": Channel.REVIEW.value}},
            {"terms": {"product": list(each.products)}},
            *([{"terms": {"brand": list(each.brands)}}] if each.brands else []),
        ]
        for polarity in POLARITIES:
            found: JsonObject = {"filter": [*within, {"term": {"aspects.polarity": polarity}}]}
            sort: list[str | JsonObject] = [{"@timestamp": "desc"}]
            if language is not None:
                found["should"] = [{"constant_score": {"filter": {"term": {"language": language}}}}]
                found["minimum_should_match"] = 0
                sort.insert(0, "_score")
            bodies.append({"query": {"bool": found}, "size": size, "sort": sort, "track_total_hits": True})
    if not bodies:
        return []
    answers: list[JsonObject] = []
    for body in run_searches(client, settings.index_prefix, bodies):
        if isinstance(body, TriageError):
            raise body
        answers.append(body)
    return [
        FoundReviews(_total(praising), _total(blaming), (_hits(praising), _hits(blaming)))
        for praising, blaming in zip(answers[::2], answers[1::2], strict=True)
    ]


def _total(body: JsonObject) -> int:
    return int(body["hits"].get("total", {}).get("value", 0))


def _hits(body: JsonObject) -> list[Hit]:
    return [Hit(hit["_id"], record) for hit, record in decode_hits(body, EnrichedRecord)]
