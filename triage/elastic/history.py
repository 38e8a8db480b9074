"""Reads past record counts per time step from Elasticsearch, to initialize detector baselines and for backtests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from elasticsearch import Elasticsearch
from numpy.typing import NDArray

from triage.config import ElasticsearchSettings
from triage.elastic.completeness import visible_indices
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search
from triage.elastic.search import DIMENSION_FIELDS, Values, filters
from triage.errors import DependencyError
from triage.logging import get_logger
from triage.schemas.counts import dimension_key
from triage.types import SentimentLabel

_log = get_logger(__name__)
# Steps per request; fewer if the answer would exceed Elasticsearch's limit of buckets.
_MAX_STEPS = 288
_MAX_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """Record counts by key of the time step that begins at `start_ms`.

    The lists are aligned: for each key, its dimensions with their values, and the number of negative and of all
    records.
    """

    start_ms: int
    keys: list[str] = field(default_factory=list)
    dimensions: list[dict[str, str]] = field(default_factory=list)
    negative: list[int] = field(default_factory=list)
    total: list[int] = field(default_factory=list)

    def arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Counts of negative and of all records by key, as two float arrays of shape (keys,), for the detector."""
        return np.array(self.negative, float), np.array(self.total, float)


def read_history(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    dimensions: Sequence[str],
    where: Mapping[str, Values],
    start_ms: int,
    end_ms: int,
    step_s: int,
) -> Iterator[HistoryStep]:
    """Yield the counts of each time step from `start_ms` to `end_ms` (exclusive) that has records, in order.

    Steps are `step_s` seconds long and aligned to the epoch. Each combination of values of `dimensions` is one key;
    records that lack one of them are not counted. `where` filters the records by field. Reads one part of the range at
    a time to limit memory. Raises Unavailable, AccessDenied, DependencyError.
    """
    # Also what the alias does not lead to: a baseline from a part of the records would be wrong for weeks.
    hidden = visible_indices(client, settings).within(settings.index_prefix, start_ms, end_ms)
    hidden.require_all("reading the history")
    step_ms = step_s * 1000
    at, steps = start_ms // step_ms * step_ms, _MAX_STEPS
    while at < end_ms:
        to = at + steps * step_ms
        try:
            found = _search(client, settings, dimensions, filters(where, max(at, start_ms), min(to, end_ms)), step_s)
        except DependencyError as error:
            if steps == 1 or "too_many_buckets" not in str(error):
                raise
            steps = max(1, steps // 4)
            continue
        for bucket in found:
            step = HistoryStep(int(bucket["key"]))
            _fill(step, bucket, list(dimensions), {})
            if step.keys:
                yield step
        at = to


def _search(
    client: Elasticsearch, settings: ElasticsearchSettings, dimensions: Sequence[str], query: JsonObject, step_s: int
) -> list[JsonObject]:
    """Buckets of steps, each with nested buckets of values, one level per dimension."""
    inner: JsonObject = {"negative": {"filter": {"term": {"sentiment.label": SentimentLabel.NEGATIVE.value}}}}
    for name in reversed(dimensions):
        inner = {"value": {"terms": {"field": DIMENSION_FIELDS.get(name, name), "size": _MAX_VALUES}, "aggs": inner}}
    time = {"field": "@timestamp", "fixed_interval": f"{step_s}s", "min_doc_count": 1}
    steps = {"steps": {"date_histogram": time, "aggs": inner}}
    body = run_search(client, settings.index_prefix, size=0, query=query, aggregations=steps)
    return list(body.get("aggregations", {}).get("steps", {}).get("buckets", []))


def _fill(step: HistoryStep, bucket: JsonObject, left: list[str], values: dict[str, str]) -> None:
    if not left:
        step.keys.append(dimension_key(values))
        step.dimensions.append(values)
        step.negative.append(bucket["negative"]["doc_count"])
        step.total.append(bucket["doc_count"])
        return
    if left_out := bucket["value"].get("sum_other_doc_count"):
        _log.warning(
            "history_values_left_out", step_ms=step.start_ms, field=left[0], records=left_out, most=_MAX_VALUES
        )
    for inner in bucket["value"]["buckets"]:
        _fill(step, inner, left[1:], {**values, left[0]: str(inner["key"])})
