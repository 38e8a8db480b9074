"""Compares a period with the period of the same length before it, by the values of fields."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import event_time_range
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search

_VALUES = 100
_INNER_VALUES = 20
_SEED = 1
# With fewer records in both periods together, a change is noise.
_MIN_RECORDS = 5


@dataclass(frozen=True)
class Periods:
    """Event times in ms: `before` is `before_ms` to `start_ms`, `now` is `start_ms` to `end_ms`; ends are exclusive."""

    before_ms: int
    start_ms: int
    end_ms: int

    @classmethod
    def ending(cls, end_ms: int, length_ms: int) -> "Periods":
        """Two consecutive periods of `length_ms`, the later up to `end_ms`; the earlier starts in 1970 or later."""
        return cls(max(0, end_ms - 2 * length_ms), end_ms - length_ms, end_ms)


@dataclass(frozen=True)
class Change:
    """Number of records that have these values, in a period (`now`) and in the period before it (`before`).

    `values` has one value for each requested field; it is empty in the change of all records. `negative_now` and
    `negative_before` count the negative ones among them, 0 unless they were asked for.
    """

    values: tuple[str, ...]
    now: int
    before: int
    negative_now: int = 0
    negative_before: int = 0

    @property
    def negative(self) -> "Change":
        """The same change, counted for negative records only."""
        return Change(self.values, self.negative_now, self.negative_before)

    @property
    def difference(self) -> int:
        return self.now - self.before

    @property
    def strength(self) -> float:
        """The difference between the periods in standard deviations, assuming equal rates (conditional Poisson test).

        Negative for a decrease, 0 without records.
        """
        return (self.now - self.before) / math.sqrt(self.now + self.before) if self.now + self.before else 0.0


@dataclass(frozen=True)
class Sampled:
    """One record of a sample: its text and the texts of its entities."""

    text: str
    entities: tuple[str, ...]


def changes(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    periods: Periods,
    groups: Mapping[str, Sequence[str]],
    *,
    negative: bool = False,
) -> tuple[Change, dict[str, list[Change]]]:
    """Compare the number of a query's records in two periods: in total, and by the values of fields, in one request.

    `groups` maps a name to one or two keyword fields. Returns the total change, and by group name the changes of its
    values, from the largest rise to the largest fall. Only values that are frequent in both periods together are
    compared. `negative`: the negative records are counted too. Raises Unavailable, AccessDenied, DependencyError, as
    all functions here.
    """
    aggregations = _counted(periods, negative=negative)
    for name, fields in groups.items():
        inner = _counted(periods, negative=negative)
        for depth, field in reversed(list(enumerate(fields))):
            size = _VALUES if depth == 0 else _INNER_VALUES
            inner = {"by": {"terms": {"field": field, "size": size}, "aggs": inner}}
        aggregations[f"g:{name}"] = inner["by"]
    both = {"bool": {"filter": [query, *event_time_range(periods.before_ms, periods.end_ms)]}}
    found = run_search(client, settings.index_prefix, query=both, size=0, aggregations=aggregations).get(
        "aggregations", {}
    )
    return _change((), found), {
        name: _strongest(_flat({"by": found.get(f"g:{name}", {})}, len(fields))) for name, fields in groups.items()
    }


def breakdown(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    query: JsonObject,
    periods: Periods,
    parts: Sequence[JsonObject],
    fields: Mapping[str, str],
) -> list[dict[str, list[Change]]]:
    """Compare the values of `fields` (name to keyword field) within parts of a query's records, in one request.

    Each of the `parts` is a query. Returns for each part, by name of the field, the changes of the 20 most frequent
    values between the two `periods`.
    """
    if not parts:
        return []
    inner = {
        f"g:{name}": {"terms": {"field": field, "size": _INNER_VALUES}, "aggs": _counted(periods)}
        for name, field in fields.items()
    }
    named = {str(number): part for number, part in enumerate(parts)}
    both = {"bool": {"filter": [query, *event_time_range(periods.before_ms, periods.end_ms)]}}
    aggregations = {"parts": {"filters": {"filters": named}, "aggs": inner}}
    body = run_search(client, settings.index_prefix, query=both, size=0, aggregations=aggregations)
    found = body.get("aggregations", {}).get("parts", {}).get("buckets", {})
    return [
        {name: _flat({"by": found.get(str(number), {}).get(f"g:{name}", {})}, 1) for name in fields}
        for number in range(len(parts))
    ]


def sample(
    client: Elasticsearch, settings: ElasticsearchSettings, query: JsonObject, start_ms: int, end_ms: int, size: int
) -> list[Sampled]:
    """At most `size` random records of a query in a range of event times (ms, end exclusive).

    The seed is fixed: the same index gives the same records.
    """
    within = {"bool": {"filter": [query, *event_time_range(start_ms, end_ms)]}}
    drawn = {"query": within, "random_score": {"seed": _SEED, "field": "_seq_no"}, "boost_mode": "replace"}
    body = run_search(
        client, settings.index_prefix, query={"function_score": drawn}, size=size, source=["text", "entities.text"]
    )
    return [
        Sampled(
            str(hit["_source"].get("text", "")),
            tuple(str(entity["text"]) for entity in hit["_source"].get("entities", ()) if "text" in entity),
        )
        for hit in body["hits"]["hits"]
    ]


def _strongest(found: list[Change]) -> list[Change]:
    kept = [change for change in found if change.now + change.before >= _MIN_RECORDS]
    return sorted(kept, key=lambda change: (-change.strength, -change.now, change.values))


def _counted(periods: Periods, *, negative: bool = False) -> JsonObject:
    inner = {"aggs": {"negative": {"filter": {"term": {"sentiment.label": "negative"}}}}} if negative else {}
    return {
        "now": {"filter": event_time_range(periods.start_ms, periods.end_ms)[0], **inner},
        "before": {"filter": event_time_range(periods.before_ms, periods.start_ms)[0], **inner},
    }


def _flat(found: JsonObject, depth: int, values: tuple[str, ...] = ()) -> list[Change]:
    if depth == 0:
        return [_change(values, found)]
    buckets = found.get("by", {}).get("buckets", [])
    return [change for bucket in buckets for change in _flat(bucket, depth - 1, (*values, str(bucket["key"])))]


def _change(values: tuple[str, ...], found: JsonObject) -> Change:
    periods = [found.get(name, {}) for name in ("now", "before")]
    counts = [period.get("doc_count", 0) for period in periods]
    return Change(values, *counts, *(period.get("negative", {}).get("doc_count", 0) for period in periods))
