"""Number of alerts that each rule raised: the part of its budget of false alerts that was spent, and true ones."""

from collections import Counter
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.search import run_search

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Spent:
    """Alerts of spike detectors by rule, and how many of them were paged; `all` is false if there were more."""

    alerts: Counter[str]
    paged: Counter[str]
    all: bool


def spike_alerts(client: Elasticsearch, settings: ElasticsearchSettings, since_ms: int) -> Spent:
    """Alerts that began since a time. Raises Unavailable, AccessDenied, DependencyError."""
    began = {"range": {"started_at": {"gte": rfc3339(since_ms)}}}
    body = run_search(
        client,
        settings.alerts_index,
        query={"bool": {"filter": [began, {"term": {"causes": "spike"}}]}},
        size=MOST,
        sort=[{"started_at": "desc"}],
        source=["rule", "paged"],
    )
    found = [hit["_source"] for hit in body["hits"]["hits"]]
    paged = Counter(one["rule"] for one in found if one.get("paged", True))
    return Spent(Counter(one["rule"] for one in found), paged, len(found) < MOST)
